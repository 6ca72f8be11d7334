import Foundation
import Registry
import TestSupport
import Testing

@testable import Origin

/// Who is connected, how far behind, and what readers are told of it.
struct EdgeListTests {
    private func report(applied: UInt64 = 2, url: String = "https://eu.example") -> EdgeReport {
        EdgeReport(
            url: url, publicURL: "https://all.example", version: "0.1.0", isFresh: true, applied: applied, entries: 3,
            memoryBytes: 4096, blobs: 2, diskBytes: 1 << 20, started: "2026-11-25T00:00:00Z")
    }

    private func json(_ report: EdgeReport) throws -> String {
        String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
    }

    @Test func `an edge is new, connected and away in turn, and every replica knows it`() async throws {
        try await TestOrigin.with(replicas: 2) { origin in
            let edge = try await origin.edge("eu")
            try await origin.repository("main")
            #expect(try await origin.slices.edgeList.all().map(\.state) == [.new])

            let told = try await origin.call(
                "POST", EdgeWire.reportPath, as: .edge(edge), json: try json(report(applied: 1)), replica: 1)
            #expect(told.status == 204)
            let away = try #require(try await origin.slices.edgeList.all().first)
            #expect(away.state == .away && away.behind == 1 && away.url == "https://eu.example")
            #expect(away.report == report(applied: 1))

            try await readsWhileConnected(origin, edge)
            let gone = try await awaitState(.away, origin)
            #expect(gone.since == gone.seen && gone.replica == nil)
        }
    }

    @Test func `readers are told of edges that have said where they are, and of no revoked one`() async throws {
        try await TestOrigin.with { origin in
            let admin = try await origin.token("root", [.admin])
            let reader = try await origin.token("ann", [.read], in: ["secret"])
            try await origin.repository("secret", isPrivate: true)
            let (eu, us) = (try await origin.edge("eu"), try await origin.edge("us"))
            _ = try await origin.edge("silent")
            for (edge, url) in [(eu, "https://eu.example"), (us, "https://us.example")] {
                let answer = try await origin.call(
                    "POST", EdgeWire.reportPath, as: .edge(edge), json: try json(report(url: url)))
                #expect(answer.status == 204)
            }
            try await origin.slices.edges.revoke(name: "us", by: .commandLine)
            let answer = try await origin.call("GET", "/secret/edges", as: .token(reader))
            let expected = """
                {"edges":[{"behind":3,"connected":false,"name":"eu","region":"","url":"https://eu.example"}],\
                "index":"sparse+\(origin.url)/secret/index/"}
                """
            #expect(answer.text == expected)
            #expect(try await origin.call("GET", "/secret/edges").status == 401)

            let all = try await origin.call("GET", "/api/v1/edges", as: .token(admin)).text
            #expect(all.contains(#""state":"revoked""#) && all.contains(#""memory_bytes":4096"#))
            #expect(all.contains(#""state":"new""#) && !all.contains("lsh_"))
        }
    }

    @Test(arguments: [
        ("javascript:alert(1)", "0.1.0", 0), ("https://a\nb", "0.1.0", 0),
        ("https://" + String(repeating: "a", count: 2048), "1", 0),
        ("https://a", String(repeating: "1", count: 65), 0), ("https://a", "1", -1),
        ("https://a", "1\u{0}", 0), ("https://a", "1\u{1b}[2J", 0), ("https://a", "é", 0),
    ])
    func `a report that can't be true is refused`(url: String, version: String, entries: Int) async throws {
        var bad = report(url: url)
        bad.version = version
        bad.entries = entries
        #expect(bad.problem != nil)
        #expect(report().problem == nil)
    }

    @Test func `a report that the database could not hold is refused at the door`() async throws {
        try await TestOrigin.with { origin in
            let edge = try await origin.edge("eu")
            for path in [\EdgeReport.version, \EdgeReport.started] {
                var bad = report()
                bad[keyPath: path] = "\u{0}"
                let answer = try await origin.call("POST", EdgeWire.reportPath, as: .edge(edge), json: try json(bad))
                #expect(answer.status == 400 && answer.text.contains("printable"))
            }
        }
    }

    private func readsWhileConnected(_ origin: TestOrigin, _ edge: String) async throws {
        var feed = try await FeedReader(origin, edge: edge, after: "1", replica: 1)
        _ = try await feed.next()
        let view = try await awaitState(.connected, origin)
        #expect(view.replica == origin.replicas[1].board.replica)
        #expect(view.applied == 1 && view.behind == 1 && view.since != nil)
    }

    private func awaitState(_ state: EdgeView.State, _ origin: TestOrigin) async throws -> EdgeView {
        for _ in 0..<200 {
            if let view = try await origin.slices.edgeList.all().first, view.state == state { return view }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw NeverHappened(what: "\(state)")
    }

    private struct NeverHappened: Error { let what: String }
}
