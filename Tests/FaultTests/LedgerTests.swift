import Registry
import Testing

/// The judge of all scenarios must see each kind of wrong answer, or their silence would mean nothing.
struct LedgerTests {
    private let begin = ContinuousClock.now
    private let lateMax: Duration = .seconds(5)

    /// Position 1 makes generation 1 at second 0, position 2 something else, position 3 generation 2 at second 10.
    private func ledger() throws -> Ledger {
        var ledger = Ledger()
        for (position, generation, second) in [(1, 1, 0), (3, 2, 10)] as [(UInt64, UInt64, Int)] {
            if position == 3 { ledger.learn(EventEnvelope(position: 2, event: .keys), at: begin) }
            ledger.learn(
                try envelope(position, generation: generation), at: begin.advanced(by: .seconds(second)))
        }
        return ledger
    }

    private func envelope(_ position: UInt64, generation: UInt64) throws -> EventEnvelope {
        let checksum = try #require(Checksum(hex: sha(generation)))
        return EventEnvelope(
            position: position,
            event: .index(
                RegistryEvent.IndexChange(
                    repository: try RepositoryName("main"), crate: try CrateName("keel"), generation: generation,
                    checksum: checksum, bytes: 1)))
    }

    private func sha(_ generation: UInt64) -> String { String(repeating: "\(generation)", count: 64) }

    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        var second = 20
        var applied: UInt64 = 0
        var status = 200
        var cache = "HIT"
        var generation: UInt64 = 2
        var shaOf: UInt64?
        /// Nil: nothing is wrong.
        var invariant: String?

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "the newest file"),
        Case(name: "the newest file, applied", applied: 3),
        Case(name: "an old file within the lease", second: 14, generation: 1),
        Case(name: "an old file that is marked", cache: "STALE", generation: 1),
        Case(name: "an old file long after", generation: 1, invariant: "I5"),
        Case(name: "an old file from the origin long after", cache: "MISS", generation: 1, invariant: "I5"),
        Case(name: "an old file after its event", second: 11, applied: 3, generation: 1, invariant: "I4"),
        Case(name: "an old file, marked, after its event", applied: 3, cache: "STALE", generation: 1, invariant: "I4"),
        Case(name: "an old file before its event", second: 11, applied: 2, generation: 1),
        Case(name: "a generation that never was", generation: 3, invariant: "I4"),
        Case(name: "other bytes", shaOf: 1, invariant: "I8"),
        Case(name: "absent though it is there", status: 404, generation: 0, invariant: "I11"),
        Case(name: "absent before it was there", second: -1, status: 404, generation: 0),
        Case(name: "no answer for now", status: 503, generation: 0),
    ]

    @Test(arguments: cases) func `an answer is judged by what the database said`(example: Case) throws {
        let read = Ledger.Read(
            edge: "eu", file: "main/keel", askedAt: begin.advanced(by: .seconds(example.second)),
            applied: example.applied, status: example.status, cache: example.cache, generation: example.generation,
            sha256: sha(example.shaOf ?? example.generation))
        let objection = try ledger().objection(to: read, lateMax: lateMax)
        #expect(objection?.prefix { $0 != ":" } == example.invariant.map { Substring($0) }, "\(objection ?? "")")
    }

    @Test func `I3: a position left out or told twice is seen`() throws {
        var ledger = try ledger()
        #expect(ledger.objections.isEmpty)
        ledger.learn(EventEnvelope(position: 5, event: .keys), at: begin)
        #expect(ledger.objections == ["I3: position 5 came after 3"])
        ledger.learn(try envelope(6, generation: 2), at: begin)
        #expect(ledger.objections.last == "I3: generation 2 of main/keel came after 2")
    }
}
