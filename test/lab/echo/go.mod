module plenuslb.test/lab/echo

go 1.26.0
