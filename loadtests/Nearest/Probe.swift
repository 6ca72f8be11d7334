/// What one fresh connection to an edge took.
struct ProbeTimes: Hashable, Sendable {
    /// Name look-up and TCP.
    let connect: Duration
    /// Nil for plain HTTP.
    let tls: Duration?
    /// From the request to the first byte of the answer.
    let firstByte: Duration

    var total: Duration { connect + (tls ?? .zero) + firstByte }
}

/// What came back on it.
struct ProbeAnswer: Hashable, Sendable {
    let status: Int
    /// `x-cache: STALE` or `warning`: the edge has not heard from its origin.
    let isStale: Bool
    let body: String
}

/// An edge after all tries.
struct EdgeStanding: Hashable, Sendable {
    let edge: EdgeDirectory.Edge
    /// The median try; nil if none got an answer.
    let times: ProbeTimes?
    /// Why cargo should not be sent there; nil for a healthy edge.
    let objection: String?

    /// Judges what the tries brought.
    ///
    /// - Parameter tries: times and answer of each, or why there is none.
    init(
        _ edge: EdgeDirectory.Edge, tries: [Result<(ProbeTimes, ProbeAnswer), BenchFailure>],
        directory: EdgeDirectory
    ) {
        self.edge = edge
        let answered = tries.compactMap { try? $0.get() }
        let sorted = answered.map(\.0).sorted { $0.total < $1.total }
        times = sorted.isEmpty ? nil : sorted[(sorted.count - 1) / 2]
        objection = Self.objection(edge, tries, answered.map(\.1), directory)
    }

    /// An edge that must not even be asked, such as one that would get the token in the clear.
    static func refusal(_ edge: EdgeDirectory.Edge, _ directory: EdgeDirectory) -> String? {
        guard let base = WebBase(edge.url) else { return "its address `\(edge.url)` is no plain URL" }
        guard base.isEncrypted || !directory.address.isEncrypted else {
            return "plain HTTP, while the registry is encrypted"
        }
        return nil
    }

    private static func objection(
        _ edge: EdgeDirectory.Edge, _ tries: [Result<(ProbeTimes, ProbeAnswer), BenchFailure>],
        _ answers: [ProbeAnswer], _ directory: EdgeDirectory
    ) -> String? {
        if let refusal = refusal(edge, directory) { return refusal }
        let failures = tries.compactMap { result -> String? in
            if case .failure(let failure) = result { failure.description } else { nil }
        }
        if let first = failures.first { return "\(failures.count) of \(tries.count) tries failed: \(first)" }
        if let bad = answers.first(where: { $0.status != 200 }) {
            let said = bad.body.split(separator: "\n").first.map { ": \($0.prefix(120))" } ?? ""
            return "answers \(bad.status)\(said)"
        }
        if answers.contains(where: { EdgeDirectory.Config($0.body)?.api != directory.api }) {
            return "serves another registry: its config.json does not name \(directory.api)"
        }
        if answers.contains(where: \.isStale) { return "stale: it has not heard from the origin for a while" }
        if !edge.connected { return "not connected to the origin" }
        return nil
    }

    /// Healthy ones first, the quickest first among them.
    static func sorted(_ standings: [EdgeStanding]) -> [EdgeStanding] {
        standings.sorted { one, other in
            if (one.objection == nil) != (other.objection == nil) { return one.objection == nil }
            switch (one.times?.total, other.times?.total) {
            case (let a?, let b?) where a != b: return a < b
            case (_?, nil): return true
            case (nil, _?): return false
            default: return one.edge.name < other.edge.name
            }
        }
    }
}
