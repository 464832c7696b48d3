"""What Celery and plain Dramatiq have in common: one message a member, one request and one transaction each."""
