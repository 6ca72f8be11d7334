import EdgeHTTP
import NIOCore
import Synchronization
import TestSupport
import Testing

struct HTTP1Tests {
    @Test func `pipelined answers keep the order of their requests`() async throws {
        try await withServer { server in
            let client = try server.connect()
            let times = [120, 0, 60, 1, 30, 0]
            let paths = times.enumerated().map { $1 == 0 ? "/echo/\($0)" : "/later/\($1)/\($0)" }
            let requests = paths.map { "GET \($0) HTTP/1.1\r\nhost: a\r\n\r\n" }.joined()
            try client.send(requests + "GET /echo/last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            let bodies = HTTP1Answers(try await client.receiveAll()).all.map { $0.body.split(separator: "\n").first }
            #expect(bodies == (paths + ["/echo/last"]).map { Substring($0) })
        }
    }

    @Test func `more pipelined requests than may wait are all answered`() async throws {
        try await withServer({ $0.pipelineMax = 4 }) { server in
            let client = try server.connect()
            let requests = (0..<200).map { "GET /later/1/\($0) HTTP/1.1\r\nhost: a\r\n\r\n" }.joined()
            try client.send(requests + "GET /echo HTTP/1.0\r\n\r\n")
            let answers = HTTP1Answers(try await client.receiveAll()).all
            #expect(answers.count == 201)
            #expect(answers.prefix(200).enumerated().allSatisfy { $1.body.hasPrefix("/later/1/\($0)\n") })
        }
    }

    @Test func `bytes may be split anywhere`() async throws {
        let request = "GET /echo?q HTTP/1.1\r\nHost: a:80\r\nAuthorization: t\r\nIf-None-Match: \"x\"\r\n\r\n"
        try await withServer { server in
            let client = try server.connect()
            for place in 1..<request.utf8.count {
                try client.send(request.utf8.prefix(place))
                // Long enough for most of the halves to be read apart; the result is the same either way.
                try await Task.sleep(for: .microseconds(300))
                try client.send(request.utf8.dropFirst(place))
            }
            try client.send("GET /echo HTTP/1.0\r\n\r\n")
            let answers = HTTP1Answers(try await client.receiveAll()).all
            #expect(answers.count == request.utf8.count)
            #expect(answers.dropLast().allSatisfy { $0.body == "/echo\nq\nt\n\"x\"" })
        }
    }

    @Test func `a request reaches the handler in its bytes`() async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send(
                "GET http://other:1/echo%2e//a?x=1?y HTTP/1.1\r\nhost: a\r\nif-none-match: \"a\"\r\nIF-NONE-MATCH: W/\"b\"\r\n"
                    + "authorization:  Bearer lsh \t\r\ncontent-length: 0\r\n\r\n\r\nGET http://a?q HTTP/1.0\r\n\r\n")
            let answers = HTTP1Answers(try await client.receiveAll()).all
            #expect(answers.map(\.status) == [200, 404])
            #expect(answers[0].body == "/echo%2e//a\nx=1?y\nBearer lsh\n\"a\",W/\"b\"")
        }
    }

    @Test func `HEAD has the length and no body, 304 has neither`() async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send(
                "HEAD /text HTTP/1.1\r\nhost: a\r\n\r\nGET /unchanged HTTP/1.1\r\nhost: a\r\n\r\n"
                    + "HEAD /file HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            let answers = HTTP1Answers(try await client.receiveAll(), headOnly: true).all
            #expect(answers.map(\.status) == [200, 304, 200])
            #expect(answers[0].head.contains("content-length: \(ScriptedHandler.text.utf8.count)"))
            #expect(!answers[1].head.contains("content-length"))
        }
    }

    @Test func `other methods reach the handler`() async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send(
                "DELETE /text HTTP/1.1\r\nhost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            #expect(HTTP1Answers(try await client.receiveAll()).all.map(\.status) == [405, 405])
        }
    }

    @Test(arguments: [
        ("gzip", true), ("deflate, gzip", true), ("*", true), ("gzip;q=0", false), ("gzip; q=0.000", false),
        ("gzip;q=0.1", true), ("*;q=0", false), ("gzip;q=0, *", false), ("br, zstd", false), ("GZIP", true),
        ("x-gzip", true), ("", false), ("gzipped", false),
    ]) func `gzip is sent to those who accept it`(header: String, accepted: Bool) async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send("GET /text HTTP/1.0\r\naccept-encoding: \(header)\r\n\r\n")
            let answer = try #require(HTTP1Answers(try await client.receiveAll()).all.first)
            #expect(answer.head.contains("content-encoding: gzip") == accepted)
            #expect(answer.head.contains("vary: accept-encoding"))
            #expect(answer.body == (accepted ? "compressed" : ScriptedHandler.text))
        }
    }

    @Test func `a client that ends its side still gets its answers`() async throws {
        try await withServer { server in
            let result = try await runNeeded(
                "bash", of: "bash",
                [
                    "-c",
                    "exec 3<>/dev/tcp/127.0.0.1/\(server.port); printf 'GET /later/50 HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3",
                ])
            #expect(result.output.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func `the observer hears of every request once`() async throws {
        let observer = KeepingObserver()
        try await withServer(observer: observer) { server in
            let client = try server.connect()
            try client.send(
                "GET /text HTTP/1.1\r\nhost: a\r\n\r\nHEAD /text HTTP/1.1\r\nhost: a\r\n\r\nGET /x HTTP/1.0\r\n\r\n")
            _ = try await client.receiveAll()
            #expect(observer.seen.withLock { $0 } == ["/text 200 3200", "/text 200 0", "/x 404 13"])
            #expect(server.server.figures.requestsHTTP1 == 3)
            #expect(server.server.figures.requestsOpen == 0)
        }
    }
}
