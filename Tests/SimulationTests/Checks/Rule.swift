/// The rules that are checked, by the design's numbers.
enum Rule: String {
    case ordered = "I3"
    case neverOlder = "I4"
    case knowsBlindness = "I5"
    case blocked = "I6"
    case privacy = "I7"
    case readYourWrites = "I10"
    case noFalseAbsence = "I11"
    case monotonicReads = "monotonic reads"
    case liveness = "liveness"
}

/// A broken rule, and what led to it.
struct Violation: CustomStringConvertible {
    let rule: Rule
    let text: String
    let seed: UInt64
    let step: Int
    let trace: [String]

    var description: String {
        """
        \(rule.rawValue) is broken at step \(step) of seed \(seed): \(text)
        \(trace.joined(separator: "\n"))
        once more: LONGSHORE_SIM_SEED=\(seed) LONGSHORE_SIM_STEPS=\(step + 1) swift test --filter SimulationTests.SimulationTests
        """
    }
}
