package app

level := "high"

deny if level == 3

pair if [x, 1] = ["a", "b"]
