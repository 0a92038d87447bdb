"""The cells of a study, written down a second time: as the paper words them."""

from synthetic import (
    GRID,
    TRAINING,
    accuracy,
    leaves,
)

from oracle.study.cell import DENSE, Cell


def silo_chain(silo, seeds=2, cycles=3):
    chain = {}
    for seed in range(seeds):
        start = DENSE
        for cycle in range(cycles):
            chain[seed, cycle] = Cell(TRAINING, seed, cycle, silo, start)
            start = leaves(chain[seed, cycle]).digest()
    return chain


def follow_silo(silo, grid=GRID, seeds=2, cycles=3):
    chain = silo_chain(silo, seeds, cycles)
    return {
        Cell(TRAINING, seed, cycle, value, own.start) for (seed, cycle), own in chain.items() for value in {*grid, silo}
    }


def oracle_winners(best, seeds=2):
    chain = {}
    for seed in range(seeds):
        start = DENSE
        for cycle, value in enumerate(best):
            chain[seed, cycle] = Cell(TRAINING, seed, cycle, value, start)
            start = leaves(chain[seed, cycle]).digest()
    return chain


def follow_oracle(silo, best, grid=GRID, seeds=2):
    judged = {
        Cell(TRAINING, seed, cycle, value, winner.start)
        for (seed, cycle), winner in oracle_winners(best, seeds).items()
        for value in {*grid, silo}
    }
    return judged | set(silo_chain(silo, seeds, len(best)).values())


def bad(outcome, **where):
    """Accuracies, but this outcome where the cell has these fields."""
    return lambda cell: outcome if all(getattr(cell, f) == v for f, v in where.items()) else accuracy(cell)
