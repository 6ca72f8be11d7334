import EdgeCache
import NIOCore
import Registry

@testable import Edge
@testable import EdgeCache
@testable import Origin

/// One edge: the real cache, joining, place in the feed and access decisions, and a model of disk, wire and clock.
final class SimEdge {
    static let leaseTime = 5_000_000
    static let tokenLease = 15_000_000
    static let responses = Responses(servedBy: "sim")

    unowned let world: World
    let place: Int
    private(set) var life = 0
    private(set) var isUp = false
    var book: DeskBook<Int>
    var feedPlace = FeedPlace(isKnown: false)
    var ghost: Ghost
    private var disk: SimDisk
    /// Seconds by which the wall clock is wrong.
    var wallError = 0
    /// The sum of all jumps of the wall clock, whatever their direction: how wrong an age across a restart can be.
    var wallJumps = 0
    /// The process gets no time until then; what arrives waits.
    var frozenUntil = 0
    /// Questions to the origin get lost until then.
    var cutOffUntil = 0
    var saveFailsUntil = 0
    /// Nothing went wrong on the way from the database to this edge since then.
    var calmSince = Int.max
    /// When the first lease of this connection was heard.
    var liveSince = 0
    var connection: SimStream?
    var isConnecting = false
    var backoff = Backoff(pauseMin: .milliseconds(100), pauseMax: .seconds(2))
    var lastByteAt = 0
    var acknowledgement: UInt64?
    var isAcknowledging = false
    var requests: [Int: ClientRequest] = [:]
    private var isSaving = false
    private var savedPosition: UInt64?
    private var savedAt = 0

    init(_ world: World, _ place: Int) {
        self.world = world
        self.place = place
        let floors = [UInt64](repeating: 0, count: world.cast.count)
        disk = SimDisk(floors: floors)
        ghost = Ghost(applied: 0, floors: floors)
        book = DeskBook(core: CacheCore(limits: CacheCore.Limits()))
    }

    var name: String { "edge\(place)" }
    /// The process's clock: it never jumps, and begins anywhere.
    var moment: Moment { Moment(nanoseconds: Int64(world.now + 1_000_000_000 * (place + 1)) * 1000) }
    /// Seconds since 1970, as this machine believes.
    var wallClock: Int { 1_800_000_000 + world.now / 1_000_000 + wallError }
    var isFresh: Bool { book.core.isFresh(at: moment) }

    /// For whoever reads a failure.
    var state: String {
        let wire = connection.map { stream in
            "on a stream of \(stream.replica.label) that stands at \(stream.standing.position), open \(stream.isOpen), "
                + "broken \(stream.isBroken), writing \(stream.isWriting), reading \(stream.isReading), stalled until "
                + Trace.seconds(stream.stalledUntil)
        }
        return "\(name): applied \(ghost.applied), head \(ghost.head), fresh \(isFresh), calm since "
            + "\(calmSince == .max ? "never" : Trace.seconds(calmSince)), frozen until \(Trace.seconds(frozenUntil)), "
            + (wire ?? "not connected")
    }

    private var limits: CacheCore.Limits {
        var limits = CacheCore.Limits()
        limits.leaseTime = .microseconds(Self.leaseTime)
        limits.tokenLease = .microseconds(Self.tokenLease)
        limits.rewarmsMax = 4
        // One edge has room for everything, one for half of it, one may not ask much at once.
        if place == 1 { limits.memoryBytesMax = 9000 }
        if place == 2 { limits.fetchesMax = 5 }
        return limits
    }

    func start() {
        guard !isUp else { return }
        isUp = true
        life += 1
        let contents = disk.contents
        let core = WarmStart.core(contents, limits, at: moment, unixNow: wallClock) { saved in value(saved) }
        book = DeskBook(core: core)
        feedPlace = FeedPlace(isKnown: contents.applied > 0)
        ghost = Ghost(applied: contents.applied, floors: disk.floors)
        requests = [:]
        (connection, isConnecting, acknowledgement, isAcknowledging) = (nil, false, nil, false)
        (isSaving, savedPosition, savedAt, calmSince) = (false, nil, 0, .max)
        backoff = Backoff(pauseMin: .milliseconds(100), pauseMax: .seconds(2))
        world.note(name, "starts", key: -1, contents.applied, UInt64(contents.entries.count))
        every(250_000) { [unowned self] in save() }
        every(500_000) { [unowned self] in keepRepositories() }
        connect()
    }

    private func value(_ saved: SavedEntry) -> CachedValue? {
        var body = saved.body
        if saved.kind == .repositories { return world.table(body).flatMap { try? $0.value() } }
        guard let fact = body.readInteger(as: Int.self) else { return nil }
        return HeldFact(fact).value(tag: saved.tag, group: world.cast[world.truth.facts[fact].subject].group)
    }

    /// - Parameters:
    ///   - isGraceful: saves everything first.
    ///   - isHeard: whether the replica is told that the connection is gone.
    func kill(isGraceful: Bool, isHeard: Bool) {
        guard isUp else { return }
        if isGraceful, !isSaving {
            let journal = book.core.takeJournal()
            disk.save(journal, currentAt: isFresh ? wallClock : nil, floors: ghost.floors)
        }
        isUp = false
        life += 1
        world.note(name, "is killed", key: -1, isGraceful ? 1 : 0, 0)
        if let connection { hangUp(connection, isHeard: isHeard) }
        connection = nil
        requests = [:]
    }

    func every(_ period: Int, _ step: @escaping () -> Void) {
        let life = self.life
        world.after(period) { [unowned self] in
            guard self.life == life else { return }
            if world.now >= frozenUntil { step() }
            every(period, step)
        }
    }

    /// Plans a step of this life; a frozen process takes it when it thaws.
    func after(_ time: Int, _ step: @escaping () -> Void) {
        let life = self.life
        world.after(time) { [unowned self] in
            guard self.life == life else { return }
            if world.now < frozenUntil { after(frozenUntil - world.now, step) } else { step() }
        }
    }

    /// Something went wrong, or goes wrong until `end`.
    func trouble(until end: Int) { if calmSince != .max { calmSince = max(calmSince, end) } }

    /// `CatalogueKeeper.save`.
    private func save() {
        guard !isSaving else { return }
        let journal = book.core.takeJournal()
        let isFresh = self.isFresh
        let isDue = isFresh && abs(wallClock - savedAt) >= 10
        guard !journal.changes.isEmpty || journal.ended != nil || journal.applied != savedPosition || isDue else {
            return
        }
        let (floors, wall) = (ghost.floors, wallClock)
        isSaving = true
        let time = world.dice.chance(percent: 2) ? world.dice.between(100_000, 900_000) : 5000
        after(time) { [unowned self] in
            isSaving = false
            if world.now < saveFailsUntil {
                book.core.putBack(journal)
            } else {
                disk.save(journal, currentAt: isFresh ? wall : nil, floors: floors)
                (savedPosition, savedAt) = (journal.applied, wall)
            }
        }
    }

    /// `ListKeeper`.
    private func keepRepositories() {
        if book.core.lacks(.repositories, at: moment) { ask(ReadAccess.repositories, for: -1) }
    }
}
