import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Postgres
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Origin

struct ExportTests {
    private func exporter(
        _ scene: AuditScene, _ sink: ExportSink, name: String = "test", format: ExportFormat = .jsonl,
        holder: String = "one"
    ) -> AuditExporter {
        AuditExporter(
            trail: scene.trail, cursors: ExportCursors(pool: scene.pool), name: name, format: format, sink: sink,
            holder: holder)
    }

    @Test func `a file gets each line once, goes on where it stopped, and mends a line that was cut`() async throws {
        try await AuditScene.with(lines: 3) { scene in
            try await withTemporaryFolder("export") { folder in
                let path = folder + "/audit.jsonl"
                let exporter = exporter(scene, .file(path))
                #expect(try await exporter.run() == 3)
                #expect(try await exporter.run() == 0)
                try await scene.record("later")
                // Killed in the middle of a line.
                let handle = try #require(FileHandle(forWritingAtPath: path))
                try handle.seekToEnd()
                try handle.write(contentsOf: Data("{\"action\":\"la".utf8))
                try handle.close()
                #expect(try await exporter.run() == 1)
                let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                let held = try await scene.trail.lines(after: 0, upTo: 9)
                #expect(lines.map(String.init) == held.map(\.json))
                #expect(try lines.map { try AuditLine(json: String($0)) } == held)
            }
        }
    }

    @Test func `what is refused for now is sent again, and the cursor waits for it`() async throws {
        try await AuditScene.with(lines: 3) { scene in
            let intake = Intake(answers: [.serviceUnavailable, .tooManyRequests])
            try await intake.whileRunning { port in
                let sink = try ExportSink("http://127.0.0.1:\(port)/in", authorization: "Bearer s3cret")
                let exporter = exporter(scene, sink)
                let error = await #expect(throws: ExportSink.Problem.self) { try await exporter.step() }
                #expect(error?.retryCanHelp == true)
                #expect(try await ExportCursors(pool: scene.pool).list().map(\.seq) == [0])
                // The second one says when to come again.
                #expect(try await exporter.run() == 3)
            }
            let bodies = intake.bodies
            #expect(bodies.count == 3 && Set(bodies).count == 1)
            #expect(bodies.last?.split(separator: "\n").count == 3)
            #expect(intake.authorizations == ["Bearer s3cret", "Bearer s3cret", "Bearer s3cret"])
        }
    }

    @Test func `what is refused for good fails at once with the reason`() async throws {
        try await AuditScene.with(lines: 1) { scene in
            let intake = Intake(answers: [.forbidden, .movedPermanently])
            try await intake.whileRunning { port in
                let exporter = exporter(scene, try ExportSink("http://127.0.0.1:\(port)/in", authorization: nil))
                for code in ["403", "301"] {
                    let error = await #expect(throws: ExportSink.Problem.self) { try await exporter.run() }
                    #expect(error?.description.contains(code) == true)
                }
            }
        }
    }

    @Test func `a new export that gets nothing across holds up no archive, and one that once did is kept`() async throws
    {
        try await AuditScene.with(lines: 2) { scene in
            try await withTemporaryFolder("export") { folder in
                let cursors = ExportCursors(pool: scene.pool)
                let nowhere = exporter(scene, .file(folder + "/none/audit.jsonl"), name: "typo")
                await #expect(throws: ExportSink.Problem.self) { try await nowhere.run() }
                #expect(try await cursors.list() == [])
                #expect(try await cursors.lowest() == nil)

                #expect(try await exporter(scene, .file(folder + "/audit.jsonl"), name: "kept").run() == 2)
                try await scene.record("later")
                let broken = exporter(scene, .file(folder + "/none/audit.jsonl"), name: "kept", holder: "two")
                await #expect(throws: ExportSink.Problem.self) { try await broken.run() }
                #expect(try await cursors.list().map(\.seq) == [2])
                // Nobody has to wait until the hold of the one that failed is over.
                #expect(try await exporter(scene, .file(folder + "/more"), name: "kept", holder: "three").run() == 1)
            }
        }
    }

    @Test func `what is tried again is told with the reason`() async throws {
        try await AuditScene.with(lines: 1) { scene in
            let intake = Intake(answers: [.serviceUnavailable])
            try await intake.whileRunning { port in
                var told: [String] = []
                let sink = try ExportSink("http://127.0.0.1:\(port)/in", authorization: nil)
                #expect(try await exporter(scene, sink).run { told.append($0) } == 1)
                #expect(told.count == 1 && told[0].contains("503") && told[0].contains("(1 of 5)"), "\(told)")
            }
        }
    }

    @Test func `two that export under one name do not both send, and a dead one's place is taken over`() async throws {
        try await AuditScene.with(lines: 2) { scene in
            try await withTemporaryFolder("export") { folder in
                let sink = ExportSink.file(folder + "/audit.jsonl")
                #expect(try await exporter(scene, sink, holder: "one").step() == .sent(2))
                #expect(try await exporter(scene, sink, holder: "two").step() == .heldByOther)
                try await scene.record("later")
                _ = try await scene.pool.execute("UPDATE audit_exports SET held_until = now() - interval '1 second'")
                #expect(try await exporter(scene, sink, holder: "two").step() == .sent(1))
                // The first one wakes up again, and must not set the cursor back.
                try await ExportCursors(pool: scene.pool).advance("test", as: "one", to: 9)
                #expect(try await ExportCursors(pool: scene.pool).list().map(\.seq) == [3])
            }
        }
    }

    @Test func `batches are bounded in lines and bytes`() {
        var batch = ExportBatch()
        let long = String(repeating: "x", count: 700_000)
        let taken = [batch.add(long, seq: 1), batch.add(long, seq: 2), batch.add("short", seq: 2)]
        #expect(taken == [true, false, true])
        #expect(batch.count == 2 && batch.lastSeq == 2)
        batch = ExportBatch()
        let room = (1...501).filter { batch.add("{}", seq: Int64($0)) }
        #expect(room == Array(1...500))
        batch = ExportBatch()
        let isTaken = batch.add(long + long, seq: 1)
        #expect(isTaken)
    }

    @Test func `the log leaves by https, or on this machine`() {
        for place in ["http://siem.example/in", "http://10.0.0.1/", "http://127.0.0.1.evil.example/"] {
            #expect(throws: ExportSink.Problem.self) { try ExportSink(place, authorization: nil) }
        }
        #expect(throws: Never.self) { try ExportSink("https://siem.example/in", authorization: nil) }
    }

    @Test func `ECS says what happened in Elastic's words`() throws {
        let line = AuditLine(
            seq: 17, prev: AuditLine.zeroHash, hash: String(repeating: "1", count: 64),
            at: "2026-11-25T08:18:06.123456Z", actor: "ann", token: 7, action: "yank", repository: "main",
            crate: "tidewater", version: "0.1.0", rule: nil, address: "192.0.2.9", request: "r1",
            detail: ["a": "b", "reason": "why"])
        let made = try JSONSerialization.jsonObject(with: Data(try ExportFormat.ecs.text(line).utf8)) as? NSDictionary
        let wanted: NSDictionary = [
            "@timestamp": "2026-11-25T08:18:06.123456Z", "ecs": ["version": ECSLine.version],
            "event": [
                "kind": "event", "module": "longshore", "dataset": "longshore.audit", "action": "yank", "sequence": 17,
                "hash": String(repeating: "1", count: 64), "category": ["package"], "type": ["change"],
                "outcome": "success", "reason": "why",
            ],
            "user": ["name": "ann"], "source": ["address": "192.0.2.9", "ip": "192.0.2.9"],
            "http": ["request": ["id": "r1"]], "package": ["name": "tidewater", "version": "0.1.0", "type": "crate"],
            "longshore": [
                "actor": "ann", "token_id": 7, "repository": "main", "prev": AuditLine.zeroHash,
                "detail": ["a": "b", "reason": "why"],
            ],
        ]
        #expect(made == wanted)
        for nobody in [Actor.origin.name, Actor.commandLine.name, Actor.policy.name, "no token", "edge eu"] {
            var line = line
            line.actor = nobody
            let text = try ExportFormat.ecs.text(line)
            #expect(!text.contains("\"user\"") && text.contains("\"actor\":\"\(nobody)\""), "\(text)")
        }
        for (action, category, type) in [
            ("token.create", "iam", "creation"), ("access.refused", "api", "access"),
            ("login", "authentication", "start"),
            ("repository.delete", "configuration", "deletion"), ("key.rotate", "configuration", "change"),
            ("downloads.seal", "package", "access"), ("policy.release", "package", "change"),
            ("upstream.change", "package", "change"), ("upstream.refused", "package", "info"),
            ("upstream.set", "configuration", "change"),
        ] {
            let meaning = ECSLine.Meaning(action: action)
            #expect(meaning.category == [category] && meaning.type.first == type, "\(action)")
        }
        #expect(ECSLine.Meaning(action: "access.refused").outcome == "failure")
    }
}

/// A receiver of exports and webhooks on this machine: says what it is told to, and then 200.
final class Intake: Sendable {
    private struct Received {
        var answers: [HTTPResponse.Status]
        var bodies: [String] = []
        var headers: [HTTPFields] = []
    }

    private let received: Mutex<Received>

    init(answers: [HTTPResponse.Status] = []) { received = Mutex(Received(answers: answers)) }

    var bodies: [String] { received.withLock { $0.bodies } }
    var authorizations: [String?] { received.withLock { $0.headers.map { $0[.authorization] } } }

    func header(_ name: String) -> [String?] {
        received.withLock { $0.headers.map { fields in HTTPField.Name(name).flatMap { fields[$0] } } }
    }

    func whileRunning(_ body: (_ port: Int) async throws -> Void) async throws {
        let router = Router()
        router.post("/in") { [self] request, _ in
            let text = String(buffer: try await request.body.collect(upTo: 4 << 20))
            let status = received.withLock { received -> HTTPResponse.Status in
                received.bodies.append(text)
                received.headers.append(request.headers)
                return received.answers.isEmpty ? .ok : received.answers.removeFirst()
            }
            return Response(status: status, headers: [.retryAfter: "0", .location: "/elsewhere"])
        }
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let app = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) }, logger: .test)
        let group = ServiceGroup(configuration: .init(services: [app], logger: .test))
        let task = Task { try await group.run() }
        for await port in ports {
            try await Replica(port: port, group: group, task: task).whileRunning(body)
            return
        }
    }
}
