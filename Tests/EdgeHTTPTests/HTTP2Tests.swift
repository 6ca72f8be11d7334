import EdgeHTTP
import NIOCore
import Testing

struct HTTP2Tests {
    // A26: the request that cargo sends on plain HTTP, byte for byte.
    @Test func `cargo's upgrade gets 101 and its answer on stream 1`() async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send(
                "GET /echo/3/b/bar HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nUser-Agent: cargo/1.95.0 (f2d3ce0bd 2026-03-21)\r\n"
                    + "Accept-Encoding: deflate, gzip\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                    + "HTTP2-Settings: AAMAAABkAAQAAQAAAAIAAAAA\r\ncargo-protocol: version=1\r\naccept: text/plain\r\n\r\n"
            )
            let switched = try await client.receive(until: "\r\n\r\n")
            #expect(
                switched.hasPrefix("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n"))
            let prefix = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n".utf8.count
            try client.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings))
            try client.send(RawHTTP2.get("/echo/second", stream: 3))
            let first = try await client.receiveFrame(after: prefix) { $0.type == RawHTTP2.data && $0.stream == 1 }
            #expect(String(decoding: first.payload, as: UTF8.self).hasPrefix("/echo/3/b/bar\n"))
            let second = try await client.receiveFrame(after: prefix) { $0.type == RawHTTP2.data && $0.stream == 3 }
            #expect(String(decoding: second.payload, as: UTF8.self).hasPrefix("/echo/second\n"))
            #expect(client.frames(after: prefix).first?.type == RawHTTP2.settings)
            #expect(server.server.figures.upgrades == 1)
        }
    }

    @Test(arguments: ["A", "AAMAAABkAAQAAQAAAAIAAAA!", "AAMAAABkAA"])
    func `an upgrade with bad settings is answered without upgrading`(settings: String) async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send(
                "GET /echo HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings, close\r\nupgrade: h2c\r\n"
                    + "http2-settings: \(settings)\r\n\r\n")
            #expect(HTTP1Answers(try await client.receiveAll()).all.map(\.status) == [200])
        }
    }

    @Test func `a client with prior knowledge may split its bytes anywhere`() async throws {
        let bytes = RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings) + RawHTTP2.get("/echo", stream: 1)
        try await withServer { server in
            for place in 1..<bytes.count {
                let client = try server.connect()
                try client.send(bytes.prefix(place))
                try await Task.sleep(for: .microseconds(300))
                try client.send(bytes.dropFirst(place))
                let frame = try await client.receiveFrame { $0.type == RawHTTP2.data }
                #expect(frame.stream == 1)
            }
        }
    }

    @Test func `a body is refused, an empty one is none`() async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings))
            try client.send(
                RawHTTP2.get("/echo", stream: 1, flags: 4) + RawHTTP2.frame(0, flags: 0, stream: 1, [1, 2]))
            try client.send(RawHTTP2.get("/echo", stream: 3, flags: 4) + RawHTTP2.frame(0, flags: 1, stream: 3))
            try client.send(RawHTTP2.get("/echo", stream: 5, flags: 4, more: [("content-length", "7")]))
            for stream in [1, 5] {
                let refused = try await client.receiveFrame { $0.type == RawHTTP2.data && $0.stream == stream }
                #expect(String(decoding: refused.payload, as: UTF8.self).contains("has a body"))
                _ = try await client.receiveFrame { $0.type == RawHTTP2.reset && $0.stream == stream }
            }
            let whole = try await client.receiveFrame { $0.type == RawHTTP2.data && $0.stream == 3 }
            #expect(String(decoding: whole.payload, as: UTF8.self).hasPrefix("/echo\n"))
        }
    }

    @Test func `a client's window is respected, and its opening resumes the answer`() async throws {
        try await withServer { server in
            let client = try server.connect()
            // SETTINGS_INITIAL_WINDOW_SIZE 100
            try client.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings, [0, 4, 0, 0, 0, 100]))
            try client.send(RawHTTP2.get("/text", stream: 1))
            let first = try await client.receiveFrame { $0.type == RawHTTP2.data }
            #expect(first.payload.count == 100)
            // Whoever sent more than the window would have sent it before it answers this.
            try client.send(RawHTTP2.frame(RawHTTP2.ping, [1, 2, 3, 4, 5, 6, 7, 8]))
            _ = try await client.receiveFrame { $0.type == RawHTTP2.ping }
            #expect(client.frames().filter { $0.type == RawHTTP2.data }.count == 1)
            try client.send(RawHTTP2.frame(RawHTTP2.windowUpdate, stream: 1, [0, 0, 0x40, 0]))
            _ = try await client.receiveFrame { $0.type == RawHTTP2.data && $0.flags & 1 == 1 }
            let body = client.frames().filter { $0.type == RawHTTP2.data }.flatMap(\.payload)
            #expect(body == Array(ScriptedHandler.text.utf8))
        }
    }

    @Test func `streams beyond 128 are refused one by one`() async throws {
        try await withServer { server in
            let client = try server.connect()
            let streams = (0..<130).map { RawHTTP2.get("/never", stream: 2 * $0 + 1) }
            try client.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings) + streams.joined())
            let refused = try await client.receiveFrame { $0.type == RawHTTP2.reset && $0.stream == 259 }
            #expect(refused.payload == [0, 0, 0, 7])
            try await eventually("128 requests are open") { server.server.figures.requestsOpen == 128 }
        }
    }

    @Test(arguments: ["/a b", "a", "/a#b", "/\u{e9}"]) func `a bad path is refused on its stream`(path: String)
        async throws
    {
        try await withServer { server in
            let client = try server.connect()
            try client.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings))
            try client.send(RawHTTP2.get(path, stream: 1) + RawHTTP2.get("/echo", stream: 3))
            let good = try await client.receiveFrame { $0.type == RawHTTP2.data && $0.stream == 3 }
            #expect(String(decoding: good.payload, as: UTF8.self).hasPrefix("/echo\n"))
            let bad = client.frames().filter { $0.stream == 1 }
            #expect(bad.contains { $0.type == RawHTTP2.reset || $0.type == RawHTTP2.data })
            #expect(server.server.figures.requestsHTTP2 <= 2)
        }
    }

    @Test func `too many fields are 431 on their stream`() async throws {
        try await withServer { server in
            let client = try server.connect()
            let many = (0..<65).map { ("x\($0)", "y") }
            try client.send(
                RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings) + RawHTTP2.get("/echo", stream: 1, more: many))
            let frame = try await client.receiveFrame { $0.type == RawHTTP2.data }
            #expect(String(decoding: frame.payload, as: UTF8.self).contains("more than 64"))
        }
    }
}
