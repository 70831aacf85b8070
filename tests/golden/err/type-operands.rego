package app

total := 1 + "a"

union := {1} | 2
