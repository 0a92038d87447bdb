"""Which trainings the Oracle requests at a pruning cycle, where it does not request all: pure functions of what is measured.

A search is asked for its next batch again and again, with all that was measured by then, until the batch is empty. Batches
don't depend on which of their trainings finishes first, so that a search is the same with any number of workers.
"""

from oracle.experiment.search import SearchKind
from oracle.plan.search.adaptive import adaptive
from oracle.plan.search.racing import racing

SEARCHES = {SearchKind.ADAPTIVE: adaptive, SearchKind.RACING: racing}
