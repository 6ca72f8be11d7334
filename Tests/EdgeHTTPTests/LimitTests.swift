import EdgeHTTP
import NIOCore
import TestSupport
import Testing

/// I9: every limit is kept, and the client is told.
struct LimitTests {
    @Test func `an answer that takes too long is 503`() async throws {
        try await withServer({ $0.answerTime = .milliseconds(100) }) { server in
            let client = try server.connect()
            try client.send("GET /never HTTP/1.1\r\nhost: a\r\n\r\nGET /echo HTTP/1.0\r\n\r\n")
            let answers = HTTP1Answers(try await client.receiveAll()).all
            #expect(answers.map(\.status) == [503, 200])
            #expect(answers[0].head.contains("retry-after: 2"))
            let over2 = try await curl(
                "--http2-prior-knowledge", "-w", "%{http_code}", "-o", "/dev/null", server.plain + "/never")
            #expect(over2.output == "503")
            #expect(server.server.figures.answersLate == 2)
        }
    }

    @Test func `a handler that fails is 500`() async throws {
        try await withServer { server in
            for way in ["--http1.1", "--http2-prior-knowledge"] {
                let got = try await curl(way, "-w", "%{http_code}", "-o", "/dev/null", server.plain + "/fails")
                #expect(got.output == "500")
            }
        }
    }

    @Test(arguments: ["GET", "GET / HTTP/1.1\r\nhost: a\r\n", "PRI * HTTP"])
    func `a head that never ends is given up`(start: String) async throws {
        try await withServer({ $0.headTime = .milliseconds(100) }) { server in
            let client = try server.connect()
            try client.send(start)
            let text = try await client.receiveAll()
            #expect(text.hasPrefix("HTTP/1.1 408") || start.hasPrefix("PRI"))
        }
    }

    // A34
    @Test func `a connection is closed for idleness only when nothing is under way`() async throws {
        try await withServer({ $0.idleTime = .milliseconds(100) }) { server in
            let client = try server.connect()
            try client.send("GET /later/300 HTTP/1.1\r\nhost: a\r\n\r\n")
            #expect(HTTP1Answers(try await client.receiveAll()).all.map(\.status) == [200])
        }
    }

    // A29
    @Test func `too many connections are told so`() async throws {
        try await withServer({ $0.connectionsMax = 1 }) { server in
            let first = try server.connect()
            try first.send("GET /unchanged HTTP/1.1\r\nhost: a\r\n\r\n")
            _ = try await first.receive(until: "\r\n\r\n")
            let second = try server.connect()
            try second.send("GET /echo HTTP/1.1\r\nhost: a\r\n\r\n")
            let refused = HTTP1Answers(try await second.receiveAll()).all
            #expect(refused.map(\.status) == [503])
            #expect(refused[0].head.contains("retry-after: 2"))
            let over2 = try await curl(
                "--http2-prior-knowledge", "-w", "%{http_code}", "-o", "/dev/null", server.plain + "/echo")
            #expect(over2.output == "503")
            try first.send("GET /echo HTTP/1.0\r\n\r\n")
            #expect(HTTP1Answers(try await first.receiveAll()).all.map(\.status) == [304, 200])
        }
    }

    // A29
    @Test func `too many requests are told so, and the connection goes on`() async throws {
        try await withServer({ $0.requestsMax = 2 }) { server in
            let client = try server.connect()
            let slow = "GET /later/100 HTTP/1.1\r\nhost: a\r\n\r\n"
            try client.send(slow + slow + slow)
            _ = try await client.receive(until: "503")
            try client.send("GET /echo HTTP/1.0\r\n\r\n")
            #expect(HTTP1Answers(try await client.receiveAll()).all.map(\.status) == [200, 200, 503, 200])
        }
    }

    // C11
    @Test(arguments: ["/large", "/file"]) func `a client that stops reading is cut off`(path: String) async throws {
        try await withServer(fileBytes: 16 << 20, { $0.stallTime = .milliseconds(200) }) { server in
            let client = try RawConnection(port: server.port, receiveBytesMax: 4096)
            try client.send("GET \(path) HTTP/1.1\r\nhost: a\r\n\r\n")
            try await eventually("it is closed") { server.server.figures.stalls == 1 }
            try await eventually("nothing is left") { server.server.figures.requestsOpen == 0 }
        }
    }

    @Test func `a client that never opens its window is cut off`() async throws {
        try await withServer({ $0.stallTime = .milliseconds(200) }) { server in
            let client = try server.connect()
            try client.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings, [0, 4, 0, 0, 0, 0]))
            try client.send(RawHTTP2.get("/text", stream: 1))
            try await eventually("its stream is over") {
                server.server.figures.stalls >= 1 && server.server.figures.requestsOpen == 0
            }
        }
    }
}
