import Registry

@testable import Origin

/// One origin replica: the real memory of the feed, book of streams and board, and a model of what moves them.
final class SimReplica {
    static let pageRows = 6
    static let framesMax = 8
    static let framesAtOnce = 3

    unowned let world: World
    let place: Int
    private(set) var life = 0
    private(set) var isUp = false
    private(set) var name = ""
    var memory = FeedMemory(framesMax: SimReplica.framesMax)
    var book = StreamBook()
    var words = ReplicaWords(own: "")
    var streams: [UInt64: SimStream] = [:]
    /// The database does not answer this replica before then.
    var cutOffUntil = 0
    /// Edges that come here before then are not yet connected as they should be.
    var troubledUntil = 0
    /// Notifications are lost until then.
    var deafUntil = 0
    /// When the table was read that the last pulse speaks of.
    private(set) var seenAt = 0
    private var isLooking = false
    private var mustLookAgain = false
    private var isTelling = false
    /// Publishes that wait for edges.
    var waits: [EdgeWaiting] = []

    init(_ world: World, _ place: Int) {
        self.world = world
        self.place = place
    }

    var reachesDatabase: Bool { world.now >= cutOffUntil }
    var label: String { "r\(place)" }

    func start() {
        guard !isUp else { return }
        isUp = true
        life += 1
        name = "r\(place)x\(life)"
        memory = FeedMemory(framesMax: Self.framesMax)
        book = StreamBook()
        words = ReplicaWords(own: name)
        (isLooking, mustLookAgain, isTelling) = (false, false, false)
        world.note(label, "starts", key: -1, UInt64(life), 0)
        every(1_000_000) { [unowned self] in look() }
        every(1_000_000) { [unowned self] in boardTick() }
        look()
        boardTick()
    }

    /// - Parameter isHeard: whether the edges' machines are told that the connections are gone.
    func kill(isHeard: Bool) {
        guard isUp else { return }
        isUp = false
        life += 1
        world.note(label, "is killed", key: -1, isHeard ? 1 : 0, 0)
        for stream in streams.values.sorted(by: { $0.number < $1.number }) {
            if isHeard { stream.send(.end) } else { stream.isBroken = true }
            stream.isOpen = false
        }
        streams = [:]
        waits = []
    }

    /// Runs `step` again and again while this life lasts.
    private func every(_ period: Int, _ step: @escaping () -> Void) {
        let life = self.life
        world.after(period) { [unowned self] in
            guard self.life == life else { return }
            step()
            every(period, step)
        }
    }

    /// Plans a step of this life.
    func after(_ time: Int, _ step: @escaping () -> Void) {
        let life = self.life
        world.after(time) { [unowned self] in if self.life == life { step() } }
    }

    /// `NOTIFY`: a hint.
    func notified() {
        guard isUp, world.now >= deafUntil, reachesDatabase else { return }
        after(world.dice.between(200, 30_000)) { [unowned self] in look() }
    }

    /// `FeedTail.readNews`: reads on from the head, then rings.
    func look() {
        guard !isLooking else {
            mustLookAgain = true
            return
        }
        guard reachesDatabase else { return }
        isLooking = true
        after(world.dice.between(100, 8000)) { [unowned self] in readPage() }
    }

    private func readPage() {
        guard reachesDatabase else { return endLook() }
        guard let head = memory.head else {
            memory.begin(at: world.database.head)
            return readPage()
        }
        let page = world.database.page(after: head, rowsMax: Self.pageRows)
        let (readAt, began) = (world.now, world.instant)
        after(world.dice.between(100, 8000)) { [unowned self] in take(page, readAt, began) }
    }

    private func take(_ page: FeedStore.Page, _ readAt: Int, _ began: ContinuousClock.Instant) {
        do {
            let step = try memory.take(page, rowsMax: Self.pageRows, began: began)
            if step == .upToDate { seenAt = readAt }
            world.note(label, "has read", key: -1, memory.head ?? 0, memory.pulse?.number ?? 0)
            ringStreams()
            if step == .again { return readPage() }
        } catch {
            world.note(label, "finds a gap", key: -1, memory.head ?? 0, 0)
        }
        endLook()
    }

    private func endLook() {
        isLooking = false
        guard mustLookAgain else { return }
        mustLookAgain = false
        look()
    }

    // MARK: The board

    private func boardTick() {
        guard reachesDatabase else { return }
        say()
        readOthers { [unowned self] _ in ringBoard() }
        let stuck = book.stuck(
            floor: memory.floor, at: world.instant, writeTimeMax: EdgeStreams.writeTimeMax
        ).sorted()
        for number in stuck { close(number) }
    }

    /// `ReplicaBoard.readOthers`; `done` hears whether there was an answer.
    func readOthers(_ done: @escaping (Bool) -> Void) {
        let question = words.question()
        after(world.dice.between(100, 5000)) { [unowned self] in
            guard reachesDatabase else { return done(false) }
            let living = world.database.living()
            after(world.dice.between(100, 5000)) { [unowned self] in
                words.read(living, question: question)
                done(true)
            }
        }
    }

    /// `ReplicaBoard.say`: writes this replica's row and tells the others.
    func say() {
        let summary = book.summary
        let said = world.database.say(name, edges: summary.edges, applied: summary.applied)
        let name = self.name
        for other in world.replicas where other !== self && other.isUp && world.now >= other.deafUntil {
            other.after(world.dice.between(200, 10_000)) { [unowned other] in
                guard other.reachesDatabase else { return }
                if other.words.heard(name, said) { other.ringBoard() }
            }
        }
    }

    /// An edge came, went or made progress: several that come together are told once.
    func progress() {
        ringBoard()
        guard !isTelling, !words.isEmpty else { return }
        isTelling = true
        after(10_000) { [unowned self] in
            isTelling = false
            if reachesDatabase { say() }
        }
    }
}
