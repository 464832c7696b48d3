"""The CronJob, the migration and the test of the chart."""

from __future__ import annotations

import pytest

from tests.deploy.chart import HELMS, NEEDED, environment, render, with_needed


def test_the_cronjob_settles_hourly_in_a_zone_that_is_said() -> None:
    cron = render(NEEDED).one("CronJob", "evaluator-enqueue")["spec"]
    assert (cron["schedule"], cron["timeZone"], cron["concurrencyPolicy"]) == ("0 * * * *", "Etc/UTC", "Forbid")
    assert cron["startingDeadlineSeconds"] >= 2 * 3600
    # those made by hand count, too: with fewer they go within hours, and their logs with them
    assert cron["successfulJobsHistoryLimit"] >= 24
    assert cron["failedJobsHistoryLimit"] >= 24
    job = cron["jobTemplate"]["spec"]
    assert job["backoffLimit"] in {2, 3}
    assert job["activeDeadlineSeconds"] > 0
    assert job["ttlSecondsAfterFinished"] >= 2 * 86400
    nightly = render(with_needed({"cronJob": {"schedule": "0 1 * * *", "timeZone": "Europe/Berlin"}}))
    cron = nightly.one("CronJob", "evaluator-enqueue")["spec"]
    assert (cron["schedule"], cron["timeZone"]) == ("0 1 * * *", "Europe/Berlin")


def test_its_job_knows_its_name_and_which_failures_are_final() -> None:
    cron = render(NEEDED).one("CronJob", "evaluator-enqueue")
    job = cron["spec"]["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    assert container["args"] == ["enqueue"]
    assert environment(container)["JOB_NAME"] == {
        "fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}
    }
    assert job["template"]["spec"]["restartPolicy"] == "Never"  # or Kubernetes refuses the policy
    drained, wrong = job["podFailurePolicy"]["rules"]
    assert drained == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert wrong["action"] == "FailJob"
    assert wrong["onExitCodes"] == {"containerName": "enqueue", "operator": "In", "values": [2, 78]}


@pytest.mark.parametrize("helm", HELMS)
def test_the_migration_is_a_plain_job_of_a_revision_that_all_pods_wait_for(helm: str) -> None:
    """A hook would block an installation that waits: its pods wait for it, and it for them."""
    rendered = render(NEEDED, helm=helm)
    job = rendered.one("Job", "evaluator-migrate-1")
    assert "annotations" not in job["metadata"]
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["migrate"]
    assert job["spec"]["backoffLimit"] == 100  # a Postgres that is away for hours is no failure
    assert "ttlSecondsAfterFinished" not in job["spec"]  # what looks for drift would start it again and again
    assert "initContainers" not in job["spec"]["template"]["spec"]
    for deployment in rendered.of("Deployment"):
        (waits,) = deployment["spec"]["template"]["spec"]["initContainers"]
        assert waits["args"] == ["migrate", "--wait", "600"]
        assert waits["env"][0]["name"] == "DATABASE_URL_FILE"


def test_argo_cd_replaces_the_migration_at_each_sync() -> None:
    job = render(with_needed({"migration": {"mode": "argocd"}})).one("Job", "evaluator-migrate")
    assert job["metadata"]["annotations"] == {
        "argocd.argoproj.io/hook": "Sync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
    }


def test_without_a_migration_pods_wait_all_the_same() -> None:
    rendered = render(with_needed({"migration": {"mode": "none", "waitSeconds": 60}}))
    assert rendered.of("Job") == []
    for deployment in rendered.of("Deployment"):
        assert deployment["spec"]["template"]["spec"]["initContainers"][0]["args"] == ["migrate", "--wait", "60"]


def test_helm_test_sends_a_message_and_leaves_nothing() -> None:
    pod = render(NEEDED).one("Pod", "evaluator-test")
    assert pod["metadata"]["annotations"] == {
        "helm.sh/hook": "test",
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    }
    assert pod["spec"]["containers"][0]["args"][0] == "ping"
    assert pod["spec"]["restartPolicy"] == "Never"
