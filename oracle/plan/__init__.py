"""Which trainings an experiment consists of, in which order, as far as the records say."""
