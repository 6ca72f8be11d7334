import EdgeHTTP
import Logging
import NIOCore
import TestSupport
import Testing

struct StopTests {
    @Test func `running HTTP/1.1 requests are finished, idle connections closed`() async throws {
        try await withServer { server in
            let idle = try server.connect()
            try idle.send("GET /echo HTTP/1.1\r\nhost: a\r\n\r\n")
            _ = try await idle.receive(until: "/echo")
            let busy = try server.connect()
            try busy.send("GET /later/1500 HTTP/1.1\r\nhost: a\r\n\r\n")
            try await eventually("it is running") { server.server.figures.requestsOpen == 1 }
            let stopped = server.stopping()
            #expect(HTTP1Answers(try await idle.receiveAll()).all.count == 1)
            let answers = HTTP1Answers(try await busy.receiveAll()).all
            #expect(answers.map(\.status) == [200])
            #expect(answers[0].head.contains("connection: close"))
            await stopped.value
            #expect(throws: RawFailure.self) { try server.connect() }
        }
    }

    // A34, I7: an empty reply on a fresh connection is fatal to cargo.
    @Test func `a connection that has not asked yet may still ask once`() async throws {
        try await withServer({ $0.freshTime = .seconds(8) }) { server in
            let fresh = try server.connect()
            try await eventually("it is accepted") { server.server.figures.connectionsOpen == 1 }
            let stopped = server.stopping()
            try await Task.sleep(for: .milliseconds(50))
            try fresh.send("GET /echo HTTP/1.1\r\nhost: a\r\n\r\n")
            #expect(HTTP1Answers(try await fresh.receiveAll()).all.map(\.status) == [200])
            await stopped.value
        }
    }

    // A28
    @Test(arguments: [true, false]) func `stopping in the middle of 300 streams fails none`(tls: Bool) async throws {
        try await withServer(tls: true) { server in
            let base = tls ? server.secure : server.plain
            let load = Task {
                try await runNeeded(
                    "h2load", of: "nghttp2-client", ["-n", "300", "-c", "3", "-m", "100", base + "/later/1500"])
            }
            try await eventually("all 300 are running") { server.server.figures.requestsOpen == 300 }
            await server.server.stop(grace: .seconds(10))
            let result = try await load.value
            #expect(result.output.contains("300 succeeded, 0 failed, 0 errored"), "\(result.text)")
        }
    }

    // A28
    @Test func `GOAWAY names the last stream that is answered`() async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings))
            try client.send(RawHTTP2.get("/later/1500", stream: 1) + RawHTTP2.get("/later/1500", stream: 3))
            try await eventually("both are running") { server.server.figures.requestsOpen == 2 }
            let stopped = server.stopping()
            let ping = try await client.receiveFrame { $0.type == RawHTTP2.ping }
            let notice = client.frames().filter { $0.type == RawHTTP2.goaway }.map(\.lastStream)
            #expect(notice == [Int(Int32.max)])
            // On its way when the notice came: still taken.
            try client.send(RawHTTP2.get("/echo", stream: 5) + RawHTTP2.frame(RawHTTP2.ping, flags: 1, ping.payload))
            while try await client.receive() {}
            let goaways = client.frames().filter { $0.type == RawHTTP2.goaway }
            #expect(goaways.map(\.lastStream) == [Int(Int32.max), 5])
            #expect(goaways.map(\.errorCode) == [0, 0])
            let answered = client.frames().filter { $0.flags & 1 == 1 && $0.type == RawHTTP2.data }.map(\.stream)
            #expect(Set(answered) == [1, 3, 5])
            await stopped.value
        }
    }

    @Test func `what does not finish is closed when the grace is over`() async throws {
        try await withServer(tls: true) { server in
            let client = try server.connect()
            try client.send("GET /never HTTP/1.1\r\nhost: a\r\n\r\n")
            try await eventually("it is running") { server.server.figures.requestsOpen == 1 }
            await server.server.stop(grace: .milliseconds(100))
            #expect(try await client.receiveAll() == "")
            #expect(server.server.figures.requestsOpen == 0)
            #expect(server.server.figures.connectionsOpen == 0)
        }
    }

    @Test func `a taken port is named with what to do`() async throws {
        try await withServer { server in
            let other = EdgeServer(
                configuration: .init(listeners: [.init(host: "127.0.0.1", port: server.port)]),
                handler: ScriptedHandler(), logger: .init(label: "test"))
            let error = await #expect(throws: EdgeServerError.self) { try await other.start() }
            #expect("\(error as Any)".contains("port \(server.port)"))
        }
    }
}
