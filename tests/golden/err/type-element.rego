package app

limits := {"daily": 10, "monthly": 200}

over if input.n > limits.dayly

first := [1, 2]["a"]
