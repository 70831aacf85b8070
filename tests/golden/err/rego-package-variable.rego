package a[b]
