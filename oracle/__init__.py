"""The study around SILO: experiments, the sweep over max_lr at every pruning cycle, and what it says."""
