/// Numbers that the same seed gives again, on every machine (SplitMix64).
struct CorpusDice: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameter stream: one seed has many independent streams, so that the order of work changes nothing.
    init(seed: UInt64, stream: Int) {
        state = seed &+ UInt64(truncatingIfNeeded: stream) &* 0xD134_2543_DE82_EF95
        _ = next()
    }

    /// To another stream of the same seed.
    mutating func skip(to stream: Int) {
        state &+= UInt64(truncatingIfNeeded: stream) &* 0xD134_2543_DE82_EF95
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Chooses numbers below a bound, each as often as its weight says.
struct WeightedDraw {
    /// Of the weights up to and with each number.
    private var sums: [Int] = []

    init(_ weights: [Int]) {
        var sum = 0
        for weight in weights {
            sum += weight
            sums.append(sum)
        }
    }

    /// - Returns: a number below `bound`; nil if none there has a weight.
    func draw(below bound: Int, using dice: inout CorpusDice) -> Int? {
        guard bound > 0, sums[bound - 1] > 0 else { return nil }
        let mark = Int.random(in: 0..<sums[bound - 1], using: &dice)
        var (low, high) = (0, bound - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > mark { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
