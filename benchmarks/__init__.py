"""The evaluator beside other queues, on one machine: see README.md."""
