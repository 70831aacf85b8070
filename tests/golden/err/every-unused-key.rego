package t

p if every k, v in input.xs { v > 1 }
