package a

p if every [x, y] in input.xs { x == y }
