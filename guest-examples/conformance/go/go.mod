module sdk-go

go 1.24

require fermata v0.0.0

replace fermata => ./fermata
