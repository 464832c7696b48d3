"""A second implementation of the rules, to judge the evaluator by: plain, slow, and sharing no code with it.

    oracle = Oracle(settle_delay=3600)
    for step in history.steps:
        oracle.learn(history.world.catalogue(step.at))
        for handle in ...:  # whom the evaluator asked LeetCode about at this instant
            oracle.observe(history.world.answer(handle, step.at))
        refusals = oracle.apply(step)
        oracle.verdicts("winter"), oracle.standings("winter"), ...  # what the evaluator must say by now

`play` does that alone, asking about whom a careful evaluator would. Modules: `model` is what goes in and comes out;
`calendar`, `membership`, `solves`, `evidence`, `money` are the rules one by one, `judge` their order, `oracle` the
state that they act on; `world` is the accounts on LeetCode, `histories` makes histories, `challenge_file` writes the
YAML. Instants are whole seconds UTC since the epoch throughout.
"""
