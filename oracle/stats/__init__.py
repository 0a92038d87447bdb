"""Pure statistics on numbers: intervals, paired fits, noise, comparisons of many values with the best."""
