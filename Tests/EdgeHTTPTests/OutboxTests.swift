import EdgeHTTP
import TestSupport
import Testing

/// Small answers leave past the channel, others through it: no byte may overtake another one.
struct OutboxTests {
    @Test func `small answers, files and late ones keep their order, whoever is answered beside`() async throws {
        try await withServer(fileBytes: 100_000) { server in
            let paths = [
                "/echo/0", "/text", "/file", "/echo/1", "/later/3/x", "/large", "/text", "/unchanged", "/file",
            ]
            let requests = paths.map { "GET \($0) HTTP/1.1\r\nhost: a\r\n\r\n" }.joined()
            let all = try await withThrowingTaskGroup { tasks in
                for _ in 0..<12 {
                    tasks.addTask {
                        let client = try server.connect()
                        try client.send(requests + "GET /echo/last HTTP/1.0\r\n\r\n")
                        while try await client.receive() {}
                        return Self.bodies(client.received).map(\.count)
                    }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            let echo = "/echo/0\n-\n-\n-".utf8.count
            let later = "/later/3/x\n-\n-\n-".utf8.count
            let text = ScriptedHandler.text.utf8.count
            let large = ScriptedHandler.largeBytes
            let expected = [echo, text, 100_000, echo, later, large, text, 0, 100_000, echo + 3]
            #expect(all.count == 12)
            #expect(all.allSatisfy { $0 == expected })
        }
    }

    @Test func `a client that reads late gets every small answer, once and in order`() async throws {
        try await withServer { server in
            let client = try RawConnection(port: server.port, receiveBytesMax: 4096)
            let count = 3000
            let pairs = (0..<count).map {
                "GET /text HTTP/1.1\r\nhost: a\r\n\r\nGET /echo/\($0) HTTP/1.1\r\nhost: a\r\n\r\n"
            }
            try client.send(pairs.joined())
            // The kernel takes no more long before all are answered; what is left waits in the channel and in line.
            try await eventually("some are answered") { server.server.figures.requestsHTTP1 > 50 }
            try await Task.sleep(for: .milliseconds(100))
            #expect(server.server.figures.requestsHTTP1 < 2 * count)
            try client.send("GET /echo/last HTTP/1.0\r\n\r\n")
            while try await client.receive() {}
            let bodies = Self.bodies(client.received)
            try #require(bodies.count == 2 * count + 1)
            let text = Array(ScriptedHandler.text.utf8)
            let isInOrder = (0..<count).allSatisfy { number in
                bodies[2 * number].elementsEqual(text)
                    && bodies[2 * number + 1].elementsEqual("/echo/\(number)\n-\n-\n-".utf8)
            }
            #expect(isInOrder)
        }
    }

    @Test func `a small answer is whole before its connection is closed`() async throws {
        try await withServer { server in
            for _ in 0..<50 {
                let client = try server.connect()
                try client.send("GET /text HTTP/1.1\r\nhost: a\r\n\r\nGET /te xt HTTP/1.1\r\nhost: a\r\n\r\n")
                let answers = HTTP1Answers(try await client.receiveAll()).all
                #expect(answers.map(\.status) == [200, 400])
                #expect(answers.first?.body == ScriptedHandler.text)
            }
        }
    }

    /// Bodies by `content-length`, without making text of megabytes.
    private static func bodies(_ stream: [UInt8]) -> [ArraySlice<UInt8>] {
        var rest = stream[...]
        var bodies: [ArraySlice<UInt8>] = []
        while let end = rest.indices.first(where: { rest[$0...].prefix(4).elementsEqual("\r\n\r\n".utf8) }) {
            let head = String(decoding: rest[..<end], as: UTF8.self)
            let length =
                head.split(separator: "\r\n").first { $0.hasPrefix("content-length: ") }
                .flatMap { Int($0.dropFirst(16)) } ?? 0
            rest = rest[end...].dropFirst(4)
            bodies.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return bodies
    }
}
