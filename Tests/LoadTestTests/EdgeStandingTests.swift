import Testing

@testable import LoadTest

struct EdgeStandingTests {
    private typealias Try = Result<(ProbeTimes, ProbeAnswer), BenchFailure>

    private static func directory(_ url: String = "http://registry.example/main/index/") throws -> EdgeDirectory {
        EdgeDirectory(
            address: try RepositoryAddress(url), api: "http://registry.example/main", isPrivate: false, edges: [])
    }

    private static func edge(_ name: String, url: String = "http://eu.example", connected: Bool = true)
        -> EdgeDirectory.Edge
    { EdgeDirectory.Edge(name: name, region: "", url: url, connected: connected, behind: 0) }

    private static func answered(
        _ milliseconds: Int, status: Int = 200, isStale: Bool = false, api: String = "http://registry.example/main"
    ) -> Try {
        let times = ProbeTimes(connect: .zero, tls: nil, firstByte: .milliseconds(milliseconds))
        let body = #"{"dl":"http://eu.example/main/crates","api":"\#(api)"}"#
        return .success((times, ProbeAnswer(status: status, isStale: isStale, body: body)))
    }

    @Test func `the median try counts, not the mean`() throws {
        let standing = EdgeStanding(
            Self.edge("eu"), tries: [9, 1, 500, 2, 3].map { Self.answered($0) }, directory: try Self.directory())
        #expect(standing.times?.total == .milliseconds(3))
        #expect(standing.objection == nil)
    }

    @Test func `one bad try is enough to say no`() throws {
        let directory = try Self.directory()
        for (bad, said) in [
            (Try.failure(BenchFailure("Connection refused")), "1 of 2 tries failed: Connection refused"),
            (Self.answered(1, status: 503), "answers 503"), (Self.answered(1, isStale: true), "stale"),
            (Self.answered(1, api: "http://other.example/main"), "another registry"),
        ] {
            let standing = EdgeStanding(Self.edge("eu"), tries: [Self.answered(1), bad], directory: directory)
            #expect(standing.objection?.contains(said) == true, "\(said)")
        }
    }

    @Test func `a token never goes to an edge without encryption, if the registry has it`() throws {
        let directory = try Self.directory("https://registry.example/main/index/")
        let standing = EdgeStanding(Self.edge("eu"), tries: [], directory: directory)
        #expect(standing.objection?.contains("plain HTTP") == true)
        #expect(EdgeStanding.refusal(Self.edge("eu", url: "https://eu.example"), directory) == nil)
        #expect(EdgeStanding.refusal(Self.edge("eu", url: "https://x:y@eu.example"), directory) != nil)
    }

    @Test func `healthy edges come first, however slow`() throws {
        let directory = try Self.directory()
        func standing(_ name: String, _ milliseconds: Int, connected: Bool = true) -> EdgeStanding {
            EdgeStanding(
                Self.edge(name, connected: connected), tries: [Self.answered(milliseconds)], directory: directory)
        }
        let report = NearestReport(
            directory, [standing("far", 80), standing("away", 1, connected: false), standing("near", 5)])
        #expect(report.standings.map(\.edge.name) == ["near", "far", "away"])
        #expect(report.nearest?.edge.name == "near")
        #expect(NearestReport(directory, [standing("away", 1, connected: false)]).nearest == nil)
    }

    @Test(arguments: [
        ("https://eu.example", 443, "/", "eu.example"), ("http://eu.example/", 80, "/", "eu.example"),
        ("http://127.0.0.1:8081/a/", 8081, "/a", "127.0.0.1:8081"), ("https://[::1]:9/", 9, "/", "[::1]:9"),
    ])
    func `an address is cut into what a connection needs`(
        text: String, port: Int, path: String, authority: String
    ) throws {
        let base = try #require(WebBase(text))
        #expect(base.port == port)
        #expect(base.path == path)
        #expect(base.authority == authority)
    }
}
