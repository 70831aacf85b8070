package patterns

# The first pattern is compiled with the policy; the second is none, which the run says; the third is not known.
ok if regex.match(`^/api/v[0-9]+$`, input.path)

bad if regex.match("(", input.path)

given if regex.match(input.pattern, input.path)
