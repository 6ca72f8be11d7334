import AsyncHTTPClient
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@testable import Hosting

struct RunServiceTests {
    @Test func `health, readiness and metrics are served`() async throws {
        let isDatabaseUp = Atomic(false)
        let server = try await Running(management: { port in
            ManagementServer(
                address: .init(host: "127.0.0.1", port: 0),
                checks: [.init("database") { isDatabaseUp.load(ordering: .relaxed) ? nil : "no \"connection\"" }],
                metrics: PrometheusMetrics(), logger: silent, onListening: port)
        })
        #expect(try await server.get("/healthz") == Answer(200, "ok\n"))
        #expect(
            try await server.get("/readyz")
                == Answer(503, "{\"ready\":false,\"checks\":{\"database\":\"no \\\"connection\\\"\"}}\n"))
        isDatabaseUp.store(true, ordering: .relaxed)
        #expect(try await server.get("/readyz") == Answer(200, "{\"ready\":true,\"checks\":{\"database\":\"ok\"}}\n"))
        #expect(try await server.get("/metrics").body.contains("process_uptime_seconds "))
        #expect(try await server.get("/secrets").status == 404)
        await server.signal()
        #expect(await server.ended() == .stopped)
    }

    @Test func `services stop in reverse order, and the management server last`() async throws {
        let order = Order()
        let server = try await Running(services: [Waiting("database", order), Waiting("http", order)])
        await order.wait(for: ["+"], count: 2)
        await server.signal()
        #expect(await server.ended() == .stopped)
        #expect(order.all.filter { $0.hasPrefix("-") } == ["-http", "-database"])
    }

    @Test func `while it drains it is alive and not ready`() async throws {
        let order = Order()
        let gate = Gate()
        let server = try await Running(services: [Waiting("http", order, until: gate)])
        await order.wait(for: ["+"], count: 1)
        await server.signal()
        await order.wait(for: ["~"], count: 1)
        #expect(try await server.get("/healthz").status == 200)
        #expect(try await server.get("/readyz").status == 503)
        gate.open()
        #expect(await server.ended() == .stopped)
    }

    @Test func `a second signal does not wait`() async throws {
        let order = Order()
        let server = try await Running(services: [Waiting("http", order, until: Gate())])
        await order.wait(for: ["+"], count: 1)
        await server.signal()
        await order.wait(for: ["~"], count: 1)
        await server.signal()
        #expect(await server.ended() == .hurried)
    }

    @Test func `what does not finish in time is cancelled, and the exit code says so`() async throws {
        let order = Order()
        let server = try await Running(
            services: [Waiting("http", order, until: Gate())], drainTimeMax: .milliseconds(1))
        await order.wait(for: ["+"], count: 1)
        await server.signal()
        #expect(await server.ended() == .hurried)
        #expect(!order.all.contains("ended hard"))
    }

    @Test func `a signal during the start stops it`() async throws {
        let order = Order()
        let server = try await Running(start: {
            order.note("+start")
            try await Task.sleep(for: .seconds(3600))
            return []
        })
        await order.wait(for: ["+start"], count: 1)
        await server.signal()
        #expect(await server.ended() == .stopped)
    }

    @Test func `a start that fails ends the program with one sentence`() async throws {
        struct Broken: Error, CustomStringConvertible { let description = "the database is of another version" }
        let server = try await Running(start: { throw Broken() })
        #expect(await server.ended() == .failed)
        #expect(server.log.all.filter { $0.contains("another version") }.count == 1)
    }

    @Test func `a part that ends by itself ends the program`() async throws {
        struct Dying: Service { func run() async throws {} }
        let server = try await Running(services: [Dying()])
        #expect(await server.ended() == .failed)
    }

    @Test func `a taken port is named, with what to do`() async throws {
        let first = try await Running(services: [])
        let second = try await Running(
            waits: false,
            management: { _ in
                ManagementServer(
                    address: .init(host: "127.0.0.1", port: first.port), checks: [], metrics: PrometheusMetrics(),
                    logger: silent)
            })
        #expect(await second.ended() == .failed)
        let line = try #require(second.log.all.first { $0.contains("taken") })
        #expect(line.contains("127.0.0.1:\(first.port)") && line.contains("--management-address"))
        await first.signal()
        #expect(await first.ended() == .stopped)
    }

    @Test(arguments: [
        (CInt(28), "the disk is full"), (13, "permission is denied"), (2, "there is no such file"),
    ])
    func `what the system says is said in words`(number: CInt, words: String) {
        #expect(Explanation.of(IOError(errnoCode: number, reason: "write")).hasPrefix(words))
    }
}
