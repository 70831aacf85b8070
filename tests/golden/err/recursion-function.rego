package t

fact(n) := 1 if n < 2

fact(n) := n * fact(n - 1) if n > 1
