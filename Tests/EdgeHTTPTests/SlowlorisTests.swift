import EdgeHTTP
import NIOCore
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// I9: who sends a byte now and then takes a place, and nothing from the others.
struct SlowlorisTests {
    /// How a request, a handshake or a frame can be begun and never ended.
    enum Way: CaseIterable, Sendable {
        case head, handshake, frame

        var start: [UInt8] {
            switch self {
            case .head: Array("GET /echo HTTP/1.1\r\nhost: a\r\nx: ".utf8)
            // A record of 512 bytes with the start of a ClientHello.
            case .handshake: [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]
            // The head of a HEADERS frame of 200 bytes.
            case .frame: RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings) + [0, 0, 200, 1, 5, 0, 0, 0, 1]
            }
        }

        var next: UInt8 { self == .head ? UInt8(ascii: "a") : 0 }
        func connect(_ server: TestServer) throws -> RawConnection {
            try RawConnection(port: self == .handshake ? server.tlsPort : server.port)
        }
    }

    @Test func `5,000 connections that send a byte now and then don't stop the others`() async throws {
        try allowOpenFiles(11_000)
        let count = 5000
        try await withServer(tls: true, { $0.headTime = .minutes(5) }) { server in
            let steady = try server.connect()
            let steadyOver2 = try await server.connect(secure: "h2")
            try await steadyOver2.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings))
            var slow: [(way: Way, connection: RawConnection)] = []
            for number in 0..<count {
                let way = Way.allCases[number % Way.allCases.count]
                slow.append((way, try way.connect(server)))
                try slow[number].connection.send(way.start)
                // Not more than the system lets wait to be accepted.
                if number % 250 == 249 {
                    try await eventually("they are accepted") { server.server.figures.connectionsAccepted > number }
                }
            }
            try await eventually("all are open") { server.server.figures.connectionsOpen == count + 2 }
            for round in 0..<10 {
                for (way, connection) in slow { try connection.send([way.next]) }
                try await good(server, steady, steadyOver2, round: round)
            }
            try await eventually("the others are gone again") { server.server.figures.connectionsOpen == count + 2 }
            #expect(server.server.figures.connectionsRefused == 0)
        }
    }

    /// One request on each connection that was there before, and on a new one of each kind.
    private func good(_ server: TestServer, _ steady: RawConnection, _ over2: any RawClient, round: Int) async throws {
        try steady.send("GET /echo/\(round). HTTP/1.1\r\nhost: a\r\n\r\n")
        _ = try await steady.receive(until: "/echo/\(round).\n")
        try await over2.send(RawHTTP2.get("/echo/\(round).", stream: 2 * round + 1))
        let frame = try await over2.receiveFrame { $0.type == RawHTTP2.data && $0.stream == 2 * round + 1 }
        #expect(String(decoding: frame.payload, as: UTF8.self).hasPrefix("/echo/\(round).\n"))
        for secure in [nil, "http/1.1"] {
            let fresh = try await server.connect(secure: secure)
            try await fresh.send("GET /text HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            let answers = HTTP1Answers(try await fresh.receiveAll()).all
            #expect(answers.map(\.status) == [200])
            #expect(answers.first?.body == ScriptedHandler.text)
        }
    }

    @Test(arguments: Way.allCases) func `a byte now and then buys no time`(way: Way) async throws {
        try await withServer(tls: true, { $0.headTime = .milliseconds(300) }) { server in
            let slow = try (0..<50).map { _ in try way.connect(server) }
            for connection in slow { try connection.send(way.start) }
            try await eventually("all have come") { server.server.figures.connectionsAccepted == 50 }
            try await eventually("all are given up") {
                // Those that were closed can't be sent to any more: that is the point.
                for connection in slow { try? connection.send([way.next]) }
                return server.server.figures.connectionsOpen == 0
            }
        }
    }

    private func allowOpenFiles(_ needed: UInt) throws {
        var limit = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        try #require(limit.rlim_max >= needed, "this test needs \(needed) open files: raise `ulimit -Hn`")
        limit.rlim_cur = max(limit.rlim_cur, needed)
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    }
}
