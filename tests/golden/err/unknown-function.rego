package t

allowed(x) if x == 1

p if alowed(input.x)

q := strngs.reverse("abc")

r := data.other.f(1)
