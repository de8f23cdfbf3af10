module fermata

go 1.24
