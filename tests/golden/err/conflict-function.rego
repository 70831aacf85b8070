package pricing

share(x) := "low" if x < 10

share(x) := "high" if x > 5
