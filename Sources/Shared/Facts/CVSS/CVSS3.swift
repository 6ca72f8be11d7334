#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The base score of CVSS 3.0 and 3.1, whose formulas differ only in how they forbid the rounding errors of machines.
///
/// Source: CVSS 3.1, sections 7.1 and 7.4, appendix A ("Roundup").
struct CVSS3 {
    let score: Score

    /// - Parameter values: all base metrics are there.
    init(_ values: [String: Character]) {
        func of(_ metric: String, _ weights: KeyValuePairs<Character, Double>) -> Double {
            weights.first { $0.key == values[metric] }?.value ?? 0
        }
        let isChanged = values["S"] == "C"
        let impacts = ["C", "I", "A"].map { of($0, ["H": 0.56, "L": 0.22, "N": 0]) }
        let share = 1 - impacts.reduce(1) { $0 * (1 - $1) }
        let impact = isChanged ? 7.52 * (share - 0.029) - 3.25 * pow(share - 0.02, 15) : 6.42 * share
        guard impact > 0 else {
            score = Score(clamping: 0)
            return
        }
        let exploitability =
            8.22 * of("AV", ["N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2]) * of("AC", ["L": 0.77, "H": 0.44])
            * of("PR", isChanged ? ["N": 0.85, "L": 0.68, "H": 0.5] : ["N": 0.85, "L": 0.62, "H": 0.27])
            * of("UI", ["N": 0.85, "R": 0.62])
        score = Self.roundedUp((isChanged ? 1.08 : 1) * (impact + exploitability))
    }

    /// Up to the next tenth; what is less than 0.00001 above a tenth is a rounding error.
    private static func roundedUp(_ number: Double) -> Score {
        let hundredThousandths = Int((min(number, 10) * 100_000).rounded())
        return Score(clamping: (hundredThousandths + 9_999) / 10_000)
    }
}
