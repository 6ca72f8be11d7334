import EdgeCache
import FoundationEssentials
import NIOCore
import Registry

@testable import Edge
@testable import Origin

/// A whole registry in virtual time: one database, two replicas, three edges, clients, and what goes wrong.
///
/// Everything is decided by the seed. One step is one thing that happens: a message arrives, a clock ticks, a client asks.
final class World {
    static let tokenExpiryBase = 4_000_000_000
    /// Seconds for which a repository's files may be served stale; nil: never.
    static let offline: [Int?] = [6, 3, nil]
    private static let instantZero = ContinuousClock.now

    let seed: UInt64
    let cast: Cast
    var dice: Dice
    private(set) var now = 0
    private(set) var steps = 0
    private(set) var violation: Violation?
    private(set) var database: Database!
    private(set) var replicas: [SimReplica] = []
    private(set) var edges: [SimEdge] = []
    var clients: [SimClient] = []
    /// False while nothing new goes wrong and nobody changes anything.
    var isTurbulent = true
    var answers = 0
    var publishes = 0
    private var timeline = Timeline()
    private var trace = Trace()
    private var requests = 0
    private var numbers: [CacheKey: Int] = [:]
    private var envelopes: [String: EventEnvelope] = [:]

    init(seed: UInt64) throws {
        self.seed = seed
        dice = Dice(seed: seed)
        cast = try Cast()
        for number in 0..<cast.count { if let key = cast[number].cacheKey { numbers[key] = number } }
        database = Database(self)
        replicas = (0..<2).map { SimReplica(self, $0) }
        edges = (0..<3).map { SimEdge(self, $0) }
        clients = (0..<6).map { SimClient(self, $0) }
        for replica in replicas { replica.start() }
        for edge in edges { edge.start() }
        for client in clients { client.start() }
        changeSoon()
        failSoon()
    }

    var truth: Truth { _read { yield database.truth } }
    var instant: ContinuousClock.Instant { Self.instantZero.advanced(by: .microseconds(now)) }
    var digest: UInt64 { trace.digest }

    // MARK: Time

    func after(_ time: Int, _ step: @escaping () -> Void) { timeline.plan(at: now + time, step) }

    /// Runs rounds of turbulence, each with a quiet end, until so many steps were taken or a rule was broken.
    func run(steps most: Int, roundSteps: Int = 8000) {
        while steps < most, violation == nil {
            isTurbulent = true
            let end = min(most, steps + roundSteps)
            while steps < end, violation == nil { step() }
            if violation == nil { endOfRound() }
        }
    }

    func run(until end: Int) {
        var isOver = false
        after(end - now) { isOver = true }
        while !isOver, violation == nil { step() }
    }

    private func step() {
        guard let next = timeline.next() else { preconditionFailure("clocks tick for ever") }
        now = next.at
        steps += 1
        next.run()
    }

    // MARK: What happened

    func note(_ who: String, _ what: StaticString, key: Int, _ first: UInt64, _ second: UInt64) {
        trace.note(now, who, what, key: key, first, second)
    }

    /// Notes the first broken rule; the run ends with it.
    func fail(_ rule: Rule, _ text: String, at edge: SimEdge?, key: Int = -1) {
        guard violation == nil else { return }
        var lines = trace.lines(key: key, who: edge?.name ?? "", count: 40, keys: cast)
        if let edge { lines.append(edge.state) }
        let place = key < 0 ? "" : " (\(cast[key]))"
        violation = Violation(rule: rule, text: text + place, seed: seed, step: steps, trace: lines)
    }

    // MARK: Clients

    func ask(
        _ edge: SimEdge, _ number: Int, token: Int?, witness: UInt64,
        done: @escaping (ClientRequest.Answer) -> Void
    ) {
        guard edge.isUp else { return done(.unavailable) }
        requests += 1
        let request = ClientRequest(requests, edge, number: number, token: token, witness: witness, done: done)
        edge.after(0) { request.start() }
    }

    // MARK: The wire between origin and edge

    /// - Returns: -1 for the list of repositories.
    func number(_ key: CacheKey) -> Int { numbers[key] ?? -1 }

    /// What an edge reads from the bytes of a frame.
    func envelope(_ frame: FeedRing.Frame) -> EventEnvelope {
        if let known = envelopes[frame.text] { return known }
        var reader = ServerSentEvents()
        do {
            let events = try reader.read(ByteBuffer(string: frame.text))
            guard events.count == 1, case .event(let envelope) = try FeedWord(events[0]) else {
                preconditionFailure("a frame is one event")
            }
            envelopes[frame.text] = envelope
            return envelope
        } catch {
            preconditionFailure("the origin writes what an edge can read: \(error)")
        }
    }

    func repositoryList() -> RepositoryList {
        let isPrivate = [false, true, truth.now(cast.visibility).state == .isPrivate(true)]
        return RepositoryList(
            repositories: Cast.repositories.indices.map { place in
                RepositoryList.Entry(
                    name: Cast.repositories[place], isPrivate: isPrivate[place], api: "http://api",
                    loginURL: "http://me",
                    offline: Self.offline[place] == nil ? "refuse" : "serve-stale",
                    offlineSecondsMax: Self.offline[place] ?? 0)
            })
    }

    func makeTable(_ list: RepositoryList) -> RepositoryTable {
        RepositoryTable(list, publicURL: "http://edge", responses: SimEdge.responses)
    }

    func table(_ body: ByteBuffer) -> RepositoryTable? {
        (try? JSONDecoder().decode(RepositoryList.self, from: Data(body.readableBytesView))).map(makeTable)
    }

    /// The token's end names the fact, far in the future, so that checks know what a verdict was read from.
    func verdict(_ fact: Fact, _ number: Int, _ reads: Set<Int>) -> TokenVerdict {
        let grant = Grant(actions: [.read], repositories: Set(reads.map { cast.names[$0] }))
        return TokenVerdict(
            Introspection(subject: "t\(number)", grants: [grant], expires: Self.tokenExpiryBase + fact.id))
    }
}
