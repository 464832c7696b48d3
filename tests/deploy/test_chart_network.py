"""Who may speak to whom. That clusters enforce it is their network's matter; that the API takes it, `make e2e`'s."""

from __future__ import annotations

import pytest

from tests.deploy.chart import NEEDED, Object, Rendered, render, with_needed


def policy(rendered: Rendered, name: str) -> Object:
    spec: Object = rendered.one("NetworkPolicy", name)["spec"]
    return spec


def ports(rules: list[Object]) -> list[int]:
    return [port["port"] for rule in rules for port in rule["ports"]]


def test_all_pods_get_in_nothing_and_out_only_dns_postgres_and_redis() -> None:
    rendered = render(with_needed({"postgres": {"port": 6432}, "redis": {"port": 6390}}))
    everybody = policy(rendered, "evaluator")
    assert everybody["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in everybody
    assert ports(everybody["egress"]) == [53, 53, 5353, 5353, 6432, 6390]
    for name, pod in rendered.pods():
        assert everybody["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items(), name
    pods, openshift, cache_of_a_node = everybody["egress"][0]["to"]
    assert pods["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    assert openshift == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}
    assert cache_of_a_node == {"ipBlock": {"cidr": "169.254.20.10/32"}}


def test_further_ways_out_are_for_all_pods() -> None:
    proxy = {"ports": [{"port": 3128}], "to": [{"ipBlock": {"cidr": "10.0.0.9/32"}}]}
    rendered = render(with_needed({"networkPolicy": {"extraEgress": [proxy]}}))
    assert policy(rendered, "evaluator")["egress"][-1] == proxy


def test_only_workers_reach_leetcode_and_no_private_address() -> None:
    rendered = render(NEEDED)
    reaching = [thing for thing in rendered.of("NetworkPolicy") if 443 in ports(thing["spec"].get("egress", []))]
    assert [thing["metadata"]["name"] for thing in reaching] == ["evaluator-worker-all"]
    (rule,) = reaching[0]["spec"]["egress"]
    four, six = (peer["ipBlock"] for peer in rule["to"])
    assert (four["cidr"], six["cidr"]) == ("0.0.0.0/0", "::/0")
    assert "10.0.0.0/8" in four["except"]
    assert "fc00::/7" in six["except"]
    selector = reaching[0]["spec"]["podSelector"]["matchLabels"]
    assert selector["app.kubernetes.io/component"] == "worker-all"


@pytest.mark.parametrize(
    ("url", "port"), [("https://a.example/graphql", 443), ("http://a.example", 80), ("http://sim.dev.svc:8080/x", 8080)]
)
def test_another_leetcode_has_another_port(url: str, port: int) -> None:
    rendered = render(with_needed({"settings": {"LEETCODE_URL": url}}))
    assert ports(policy(rendered, "evaluator-worker-all")["egress"]) == [port]


def test_servers_are_called_by_whom_the_values_name() -> None:
    callers = [{"podSelector": {"matchLabels": {"app": "ingress"}}}]
    rendered = render(with_needed({"networkPolicy": {"callers": callers}}))
    called = policy(rendered, "evaluator-server")
    assert called["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "server"
    (rule,) = called["ingress"]
    scraper = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert rule == {"ports": [{"port": 8000, "protocol": "TCP"}], "from": [scraper, *callers]}
    (rule,) = policy(rendered, "evaluator-worker-all")["ingress"]
    assert rule == {"ports": [{"port": 9191, "protocol": "TCP"}], "from": [scraper]}
    nobody = render(with_needed({"networkPolicy": {"scrape": []}}))
    assert policy(nobody, "evaluator-server")["ingress"] == []
    assert "ingress" not in policy(nobody, "evaluator-worker-all")


def test_services_for_development_are_reached_by_this_release_and_keda_alone() -> None:
    development = {"redis": {"enabled": True}, "postgres": {"enabled": True}}
    rendered = render({"development": development, "autoscaling": {"mode": "keda"}})
    for name, port in (("redis", 6379), ("postgres", 5432)):
        own = policy(rendered, f"evaluator-{name}")
        assert "egress" not in own
        ((rule,), selector) = own["ingress"], own["podSelector"]["matchLabels"]
        assert selector["app.kubernetes.io/component"] == name
        assert ports([rule]) == [port]
        ours, keda = rule["from"]
        assert ours["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "evaluator"
        assert keda == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}
    targets = [rule["to"][0]["podSelector"]["matchLabels"] for rule in policy(rendered, "evaluator")["egress"][1:]]
    assert [target["app.kubernetes.io/component"] for target in targets] == ["postgres", "redis"]
