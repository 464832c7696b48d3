"""Dramatiq as we use it. It reads its environment when it is imported: import this package first."""

import os

_TUNING = {
    "dramatiq_worker_timeout": "300",  # milliseconds; an idle consumer's sleep would otherwise be up to a second
    "dramatiq_restart_delay": "1000",  # milliseconds until a consumer that lost Redis tries again
    "dramatiq_delay_queue_prefetch": "1000",  # fetched ahead and lost with a worker, they come back late
}

for _name, _value in _TUNING.items():
    os.environ.setdefault(_name, _value)
