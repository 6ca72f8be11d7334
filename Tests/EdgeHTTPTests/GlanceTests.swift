import EdgeHTTP
import TestSupport
import Testing

/// The short way of HTTP/1.1 must be told from the long one by its cost alone.
struct GlanceTests {
    private static let shown = [
        "GET /text HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /text HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n",
        "GET /echo/1 HTTP/1.1\r\nhost: a\r\nIf-None-Match:  \"g1-a\" \r\n\r\n",
        "\r\nGET /echo/2 HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /unchanged HTTP/1.1\r\nhost: a\r\n\r\n",
    ]
    /// With something that a glimpse does not show.
    private static let others = [
        "GET /echo/3?query HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /echo/4 HTTP/1.1\r\nhost: a\r\nauthorization: b\r\n\r\n",
        "GET /echo/5 HTTP/1.1\r\nhost: a\r\nif-none-match: \"a\"\r\nif-none-match: \"b\"\r\n\r\n",
        "HEAD /text HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET http://a/echo/6 HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET http://a HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST /text HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
        "GET /later/2/x HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /absent HTTP/1.1\r\nhost: a\r\n\r\n",
    ]
    private static let last = [
        "GET /echo/z HTTP/1.0\r\n\r\n",
        "GET /echo/z HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        "GET /text HTTP/1.1\r\n\r\n",
        "GET /text HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc",
        "GET /text HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /text HTTP/1.1\nhost: a\r\n\r\n",
        "GET /text HTTP/1.1\r\nhost : a\r\n\r\n",
    ]

    @Test func `a glance says what the long way says, however the bytes are cut`() async throws {
        try await withServer { short in
            try await withServer(glances: false) { long in
                for seed in 0..<60 as Range<UInt64> {
                    var numbers = SplitMix(seed: seed)
                    let text =
                        (0..<12).map { _ in
                            let isShown = Int.random(in: 0..<6, using: &numbers) > 0
                            return (isShown ? Self.shown : Self.others).randomElement(using: &numbers) ?? ""
                        }.joined() + (Self.last.randomElement(using: &numbers) ?? "")
                    let cut = Int.random(in: 1...text.utf8.count, using: &numbers)
                    let answers = try await Self.ask(short, text, inPartsOf: cut)
                    #expect(try await Self.ask(long, text, inPartsOf: text.utf8.count) == answers, "seed \(seed)")
                    #expect(answers.count > 12, "seed \(seed)")
                }
                #expect(short.handler.glanced.value > 60)
                #expect(long.handler.glanced.value == 0)
                #expect(short.server.figures.requestsHTTP1 == long.server.figures.requestsHTTP1)
                #expect(short.server.figures.bodyBytesOut == long.server.figures.bodyBytesOut)
            }
        }
    }

    @Test func `a server that has all the requests it may have answers nothing at a glance`() async throws {
        try await withServer {
            $0.requestsMax = 1
        } _: { server in
            let waiting = try server.connect()
            try waiting.send("GET /never HTTP/1.1\r\nhost: a\r\n\r\n")
            try await eventually("one waits") { server.server.figures.requestsOpen == 1 }
            let refused = try await Self.ask(server, "GET /text HTTP/1.0\r\n\r\n", inPartsOf: 100)
            #expect(refused.first?.contains(" 503 ") == true)
            let client = try server.connect()
            try client.send("GET /text HTTP/1.1\r\nhost: a\r\n\r\n")
            #expect(try await client.receive(until: "\r\n\r\n").contains(" 503 "))
            #expect(server.handler.glanced.value == 0)
        }
    }

    /// - Returns: the answer's lines, without the dates.
    private static func ask(_ server: TestServer, _ text: String, inPartsOf count: Int) async throws -> [String] {
        let client = try server.connect()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            try client.send(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        let answer = try await client.receiveAll()
        return answer.split(separator: "\r\n").map(String.init).filter { !$0.hasPrefix("date: ") }
    }
}
