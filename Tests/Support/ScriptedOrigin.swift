import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
package import Registry
import Synchronization

/// An origin that follows a script: it speaks the edge wire over real sockets, counts what it is asked, and can be
/// made slow, dumb, wrong or dead.
///
/// Source: `EdgeWire`.
package final class ScriptedOrigin: Sendable {
    /// What the origin holds and how it behaves; change it through `script`.
    package struct Script: Sendable {
        package var head: UInt64 = 1
        package var repositories: [RepositoryList.Entry] = [ScriptedOrigin.entry("main")]
        /// By `{repository}/{index path}`.
        package var indexFiles: [String: (generation: UInt64, text: String)] = [:]
        /// What follows each name in a closure; nil: an origin that has never heard of closures.
        package var closures: [String: [String]]?
        /// In so many parts it says that it answers questions for closures; nil: it has never heard of parts.
        package var closureParts: Int?
        /// Each member of a closure in parts is cut into a piece for each part.
        package var cutsMembers = false
        /// The gzip members of closures are damaged on the way.
        package var damagesMembers = false
        /// Breaks the answer to a closure off after so many bytes.
        package var cutsClosuresAfter: Int?
        /// By `{repository}/{name}/{version}/{sha256}.crate`.
        package var crates: [String: [UInt8]] = [:]
        /// Refused downloads and why, by the same path.
        package var blocked: [String: String] = [:]
        /// The rule that it names for them; nil: an origin that names none.
        package var blockingRule: String?
        /// What signs URLs here, and the name by which this origin knows the edge.
        package var keys = SigningKeyList(edge: "eu", keys: [])
        /// By the hash of the secret.
        package var tokens: [String: Introspection] = [:]
        /// Answers every read with this status and without a position.
        package var failure: Int?
        /// The content type of that answer.
        package var failureType = "text/plain; charset=utf-8"
        /// Holds answers to reads back.
        package var delay: Duration = .zero
        /// The bytes of crates are damaged on the way.
        package var damagesCrates = false
        /// No leases are sent while this is true, on new connections neither; they stay open.
        package var isSilent = false
        /// So many batches of the access log are taken, and answered as if they were not.
        package var batchAnswersToLose = 0
        /// So many batches are not taken, and answered with this.
        package var batchesToRefuse = 0
        package var batchRefusal = (status: 400, body: CargoAnswer.errors(["no such batch can be"]).json)
        package var leasePause: Duration = .milliseconds(50)
    }

    private struct State {
        var script = Script()
        var requests: [String] = []
        var closureQuestions: [ClosureQuestion] = []
        var acknowledged: UInt64 = 0
        var reports: [EdgeReport] = []
        var batches: [AccessBatch] = []
        var hasContradiction = false
        /// What was published, by position from 2; position 1 is the beginning.
        var events: [EventEnvelope] = []
        var feeds: [ObjectIdentifier: any Channel] = [:]
    }

    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)
    private let group = MultiThreadedEventLoopGroup.singleton

    package init() {}

    package static func entry(_ name: String, isPrivate: Bool = false, offline: String = "serve-stale")
        -> RepositoryList.Entry
    {
        RepositoryList.Entry(
            name: name, isPrivate: isPrivate, api: "http://origin.test/\(name)",
            loginURL: "http://origin.test/\(name)/me", offline: offline, offlineSecondsMax: 3600)
    }

    /// Listens on 127.0.0.1.
    ///
    /// - Parameter port: 0 takes a free one; a stopped origin comes back on its old one.
    package func start(port: Int = 0) async throws {
        let listening = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(OriginConnection(self))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        channel.withLock { $0 = listening }
    }

    package var port: Int { channel.withLock { $0?.localAddress?.port ?? 0 } }
    package var url: String { "http://127.0.0.1:\(port)" }

    /// Dies, if it lives: the port is closed and every connection with it.
    package func stop() async throws {
        let listening = channel.withLock { channel in
            defer { channel = nil }
            return channel
        }
        try await listening?.close()
        let open = connections.withLock { Array($0.values) }
        for channel in open { try? await channel.close() }
        state.withLock { $0.feeds = [:] }
    }

    private let connections = Mutex<[ObjectIdentifier: any Channel]>([:])

    func opened(_ channel: any Channel) { connections.withLock { $0[ObjectIdentifier(channel)] = channel } }

    func closed(_ channel: any Channel) {
        connections.withLock { $0[ObjectIdentifier(channel)] = nil }
        state.withLock { $0.feeds[ObjectIdentifier(channel)] = nil }
    }

    package func change(_ step: (inout Script) -> Void) { state.withLock { step(&$0.script) } }

    /// Publishes an event at the next position and sends it to every feed.
    @discardableResult
    package func announce(_ event: RegistryEvent, _ step: (inout Script) -> Void = { _ in }) -> UInt64 {
        let (position, feeds) = state.withLock { state in
            step(&state.script)
            state.script.head += 1
            state.events.append(EventEnvelope(position: state.script.head, event: event))
            return (state.script.head, Array(state.feeds.values))
        }
        let text = Self.text(EventEnvelope(position: position, event: event))
        for feed in feeds { Self.send(text, to: feed) }
        return position
    }

    /// Sends any text on every feed, well-formed or not.
    package func sendRaw(_ text: String) {
        for feed in state.withLock({ Array($0.feeds.values) }) { Self.send(text, to: feed) }
    }

    /// `METHOD path` of every request but the feed's, in order of arrival.
    package var requests: [String] { state.withLock { $0.requests } }
    package func count(of text: String) -> Int { requests.count { $0.contains(text) } }
    /// What edges said that they hold, one list a question for a closure.
    package var closureQuestions: [ClosureQuestion] { state.withLock { $0.closureQuestions } }
    package var acknowledged: UInt64 { state.withLock { $0.acknowledged } }
    package var feedCount: Int { state.withLock { $0.feeds.count } }

    /// A new index file, with its event.
    @discardableResult
    package func publish(
        _ crate: String, _ text: String, generation: UInt64, in repository: String = "main"
    ) throws -> UInt64 {
        let name = try CrateName(crate)
        let change = RegistryEvent.IndexChange(
            repository: try RepositoryName(repository), crate: name, generation: generation, checksum: nil, bytes: 0)
        return announce(.index(change)) {
            $0.indexFiles["\(repository)/\(name.indexPath)"] = (generation, text)
        }
    }

    var script: Script { state.withLock { $0.script } }

    /// What the edge said of itself, oldest first.
    package var reports: [EdgeReport] { state.withLock { $0.reports } }

    /// The batches of the access log, each number once, as an origin takes them.
    package var batches: [AccessBatch] { state.withLock { $0.batches } }
    /// True if a batch came again with other content.
    package var hasContradiction: Bool { state.withLock { $0.hasContradiction } }
    package var pulls: [AccessBatch.Pull] { batches.flatMap(\.pulls) }
    package var refusals: [AccessRefusal] { batches.flatMap { $0.refusals ?? [] } }

    /// - Returns: nil if the answer is to be lost.
    func took(_ batch: AccessBatch) -> AccessBatch.Taken? {
        state.withLock { state in
            let known = state.batches.first { $0.spool == batch.spool && $0.number == batch.number }
            if let known, known != batch { state.hasContradiction = true }
            if known == nil { state.batches.append(batch) }
            guard state.script.batchAnswersToLose == 0 else {
                state.script.batchAnswersToLose -= 1
                return nil
            }
            return AccessBatch.Taken(taken: known == nil, refused: 0)
        }
    }

    /// - Returns: nil if batches are heard just now.
    func refusal() -> (status: Int, body: String)? {
        state.withLock { state in
            guard state.script.batchesToRefuse > 0 else { return nil }
            state.script.batchesToRefuse -= 1
            return state.script.batchRefusal
        }
    }

    func heard(_ report: EdgeReport) { state.withLock { $0.reports.append(report) } }

    func note(_ request: String) { state.withLock { $0.requests.append(request) } }
    func note(_ question: ClosureQuestion) { state.withLock { $0.closureQuestions.append(question) } }
    func acknowledge(_ position: UInt64) { state.withLock { $0.acknowledged = max($0.acknowledged, position) } }

    /// The first bytes of a feed, and the channel's place among those that get the next ones.
    func subscribe(_ channel: any Channel, after: UInt64?) -> String {
        state.withLock { state in
            state.feeds[ObjectIdentifier(channel)] = channel
            if state.script.isSilent { return "" }
            let missed = after.map { after in state.events.filter { $0.position > after } } ?? []
            return Self.lease(state.script.head) + missed.map(Self.text).joined()
        }
    }

    static func lease(_ head: UInt64) -> String {
        "event: lease\ndata: {\"head\":\(head),\"now\":\"2026-11-23T05:00:00Z\"}\n\n"
    }

    private static func text(_ envelope: EventEnvelope) -> String {
        "id: \(envelope.position)\nevent: \(envelope.event.kind)\ndata: \(envelope.event.data)\n\n"
    }

    static func send(_ text: String, to channel: any Channel) {
        channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
    }
}
