"""What the ledger costs as members, challenges and days grow: `python -m benchmarks.scale`."""
