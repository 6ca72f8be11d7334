import Registry
import Testing

struct EventEnvelopeTests {
    static let hash = String(repeating: "12", count: 32)

    static func events() throws -> [RegistryEvent] {
        let (main, crate) = (try RepositoryName("main"), try CrateName("serde-json"))
        let checksum = Checksum(hex: hash)
        return [
            .index(.init(repository: main, crate: crate, generation: .max, checksum: checksum, bytes: 5120)),
            .index(.init(repository: main, crate: crate, generation: 3, checksum: nil, bytes: 0)),
            .version(repository: main, crate: crate, version: "1.0.0+b"), .token(subject: "17"), .keys,
            .repository(main), .edges,
        ]
    }

    @Test func `every event survives the feed`() throws {
        for event in try Self.events() {
            let envelope = EventEnvelope(position: 9, kind: event.kind, data: event.data)
            #expect(envelope == EventEnvelope(position: 9, event: event))
            #expect(!event.data.contains("\n"))
        }
    }

    @Test func `the data of an index event is sorted and complete`() throws {
        #expect(
            try Self.events()[0].data
                == #"{"bytes":5120,"crate":"serde-json","generation":18446744073709551615,"repository":"main","sha256":"\#(Self.hash)"}"#
        )
    }

    @Test(arguments: [
        ("moon", "{}"), ("index", "{}"), ("index", "no JSON"), ("version", #"{"repository":"main","crate":"a"}"#),
        ("index", #"{"repository":"Main","crate":"a","generation":1,"bytes":1}"#),
        ("index", #"{"repository":"main","crate":"a","generation":1,"bytes":1,"sha256":"xy"}"#),
        ("index", #"{"repository":"main","crate":"a","generation":-1,"bytes":1}"#), ("token", "{}"),
        ("repository", #"{"repository":"../x"}"#), ("", ""),
    ])
    func `what can't be understood is unknown, never left out`(kind: String, data: String) {
        #expect(EventEnvelope(position: 1, kind: kind, data: data).event == .unknown(kind: kind))
    }

    @Test func `fields of tomorrow do no harm`() {
        let event = EventEnvelope(position: 1, kind: "token", data: #"{"subject":"7","reason":"lost"}"#).event
        #expect(event == .token(subject: "7"))
    }

    // I3
    @Test func `a cursor applies each position once and sees a gap`() {
        var cursor = FeedCursor(applied: 41)
        #expect(cursor.arrived(41) == .skip)
        #expect(cursor.arrived(42) == .apply)
        #expect(cursor.arrived(42) == .skip)
        #expect(cursor.arrived(44) == .resume(after: 42))
        #expect(cursor.applied == 42)
    }
}
