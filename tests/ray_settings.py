"""What tests set for Ray, which its processes read from their environment."""

# as other processes, of which there are as many as cores: a worker at Ray's usual 15 would wait for them all
SETTINGS = {"RAY_worker_niceness": "0"}
