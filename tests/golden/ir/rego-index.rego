package indexed

# Eight definitions are found by their constant, one compares with none.
limit := 1 if input.tier == "a"

limit := 2 if input.tier == "b"

limit := 3 if input.tier == "c"

limit := 4 if input.tier == "d"

limit := 5 if input.tier == "e"

limit := 6 if input.tier in {"f", "g"}

limit := 7 if input.tier == "h"

limit := 8 if input.tier == "i"

limit := 9 if not input.tier
