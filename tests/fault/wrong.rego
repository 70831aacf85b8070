# Errors of every step: reading, names, types.
package wrong

p := unknown(1)

q if x > 1

r := 1 + "text"

s contains t if not t

u := u + 1
