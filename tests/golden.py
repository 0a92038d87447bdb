"""SILO's max_lr by cycle in the released ResNet-20 recipe, to 6 decimals; from cycle 12 on it is 0.07."""

GOLDEN = [
    0.03,
    0.03,
    0.030039,
    0.032132,
    0.047611,
    0.064461,
    0.068929,
    0.069775,
    0.069947,
    0.069987,
    0.069996,
    0.069999,
]
