#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

func logTen(_ value: Double) -> Double { log10(value) }
func powerOfTen(_ exponent: Double) -> Double { pow(10, exponent) }
