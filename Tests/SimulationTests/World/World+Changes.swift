import Registry

@testable import Origin

/// A change that is committed and not yet answered: it waits for the edges.
struct EdgeWaiting {
    let number: Int
    let position: UInt64
    let committedAt: Int
    /// False if the others' rows could not be read; the log then says that their edges are not known.
    let isInformed: Bool
}

/// What people change: publishes, yanks, blocks, revocations, visibility.
extension World {
    private typealias Effect = (event: RegistryEvent, changes: [(subject: Int, state: Fact.State)])

    func changeSoon() {
        after(dice.chance(percent: 30) ? dice.between(1000, 20_000) : dice.between(50_000, 900_000)) {
            [unowned self] in
            if isTurbulent { change() }
            changeSoon()
        }
    }

    func change() {
        let replica = replicas[dice.below(replicas.count)]
        guard replica.isUp, replica.reachesDatabase else { return }
        let decide = draw()
        let life = replica.life
        let change = Database.Change(
            decide: decide,
            committed: { [unowned self] position in
                guard let position, replica.life == life else { return }
                let committedAt = now
                replica.after(dice.between(200, 3000)) { [unowned replica] in
                    replica.waitForEdges(position, committedAt: committedAt)
                }
            })
        after(dice.between(1000, 30_000)) { [unowned self] in database.append(change) }
    }

    private func draw() -> (Truth) -> [Effect] {
        let index = dice.below(cast.firstDownload)
        let slot = dice.below(Cast.versionsEach)
        let token = cast.firstToken + dice.below(Cast.tokens)
        let reads: Set<Int>? = [nil, [1], [2], [1, 2]][dice.below(4)]
        switch dice.below(100) {
        case ..<45: return { [unowned self] truth in [publish(index, slot, truth)] }
        case ..<60: return { [unowned self] truth in touch(index, truth) }
        case ..<77: return { [unowned self] truth in block(index, slot, truth) }
        case ..<92:
            return { _ in
                [(.token(subject: "t\(token)"), [(token, reads.map(Fact.State.token) ?? .absent)])]
            }
        case ..<96: return { [unowned self] truth in [toggle(truth)] }
        case ..<98: return { _ in [(.keys, [])] }
        default: return { _ in [(.unknown(kind: "future"), [])] }
        }
    }

    private func publish(_ index: Int, _ slot: Int, _ truth: Truth) -> Effect {
        var (event, changes) = newFile(index, truth)
        let download = cast.download(ofIndex: index, version: slot)
        if truth.now(download).state == .absent { changes.append((download, .allowed)) }
        return (event, changes)
    }

    /// A yank: the crate's file changes.
    private func touch(_ index: Int, _ truth: Truth) -> [Effect] {
        truth.now(index).state == .absent ? [(.keys, [])] : [newFile(index, truth)]
    }

    /// Policy blocks a version, or allows it again: the file changes, and the download.
    private func block(_ index: Int, _ slot: Int, _ truth: Truth) -> [Effect] {
        let download = cast.download(ofIndex: index, version: slot)
        guard let crate = cast[download].crate, truth.now(download).state != .absent else { return [(.keys, [])] }
        let next: Fact.State = truth.now(download).state == .blocked ? .allowed : .blocked
        let repository = cast.names[cast[download].repository]
        return [
            newFile(index, truth),
            (.version(repository: repository, crate: crate, version: cast[download].version), [(download, next)]),
        ]
    }

    private func newFile(_ index: Int, _ truth: Truth) -> Effect {
        var generation: UInt64 = 1
        if case .file(let last) = truth.now(index).state { generation = last + 1 }
        guard let crate = cast[index].crate else { preconditionFailure("an index file is of a crate") }
        let event = RegistryEvent.IndexChange(
            repository: cast.names[cast[index].repository], crate: crate, generation: generation, checksum: nil,
            bytes: 0)
        return (.index(event), [(index, .file(generation: generation))])
    }

    private func toggle(_ truth: Truth) -> Effect {
        let isPrivate = truth.now(cast.visibility).state == .isPrivate(true)
        return (.repository(cast.names[2]), [(cast.visibility, .isPrivate(!isPrivate))])
    }
}

/// `EdgeWait`: the answer to a change leaves when every connected edge serves it, after 500 ms at the latest.
extension SimReplica {
    func waitForEdges(_ position: UInt64, committedAt: Int) {
        world.publishes += 1
        let number = world.publishes
        // After the commit: an edge that is not known yet begins with a head that has it.
        readOthers { [unowned self] isInformed in
            let wait = EdgeWaiting(
                number: number, position: position, committedAt: committedAt, isInformed: isInformed)
            waits.append(wait)
            ringBoard()
            answerInTime(wait)
        }
    }

    private func answerInTime(_ wait: EdgeWaiting) {
        after(500_000) { [unowned self] in
            guard let place = waits.firstIndex(where: { $0.number == wait.number }) else { return }
            waits.remove(at: place)
            answer(wait, late: behind(wait.position))
        }
    }

    /// `ReplicaBoard.behind`.
    private func behind(_ position: UInt64) -> [String] { book.names(behind: position) + words.behind(position) }

    func ringBoard() {
        for wait in waits where behind(wait.position).isEmpty {
            waits.removeAll { $0.number == wait.number }
            answer(wait, late: [])
        }
    }

    /// I10: whoever was connected when it was committed, and is not named late, serves it.
    private func answer(_ wait: EdgeWaiting, late: [String]) {
        world.note(label, "answers", key: -1, wait.position, UInt64(late.count))
        for edge in world.edges where edge.isUp {
            // A lease that waited in a frozen process counts from when it was heard.
            guard world.now > edge.frozenUntil + SimEdge.leaseTime, let stream = edge.connection, stream.isOpen,
                !stream.isBroken, stream.replica.isUp,
                edge.liveSince != 0, edge.liveSince <= wait.committedAt - World.introductionTimeMax, edge.isFresh,
                edge.ghost.applied < wait.position, wait.isInformed || stream.replica === self,
                !late.contains(where: { $0 == edge.name || $0.hasSuffix(" \(stream.replica.name)") })
            else { continue }
            world.fail(
                .readYourWrites,
                "\(label) answers the change at \(wait.position); \(edge.name) is connected to \(stream.replica.label) "
                    + "since \(Trace.seconds(edge.liveSince)), not named late, fresh, and stands at \(edge.ghost.applied)",
                at: edge)
        }
    }
}

extension World {
    /// How long after its first lease an edge may be unknown to the other replicas.
    static let introductionTimeMax = 0
}
