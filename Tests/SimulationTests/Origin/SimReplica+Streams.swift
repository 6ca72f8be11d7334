import Registry

@testable import Origin

extension SimReplica {
    /// `FeedRoute`: an edge asks for the feed; what it says travels with its words.
    func open(_ edge: SimEdge, after start: String) {
        guard isUp, reachesDatabase else { return edge.refused() }
        let edgeLife = edge.life
        let head = world.database.head
        let position = start == "latest" ? head : UInt64(start) ?? 0
        let number = book.reserveNumber()
        let stream = SimStream(self, edge, number, after: position)
        after(world.dice.between(100, 5000)) { [unowned self] in
            guard edge.life == edgeLife else { return }
            book.open(number, EdgeHolder(edgeID: Int64(edge.place), name: edge.name), at: position)
            streams[number] = stream
            progress()
            edge.opened(stream)
            // The others must know of it before it can call itself fresh.
            after(world.dice.between(100, 5000)) { [unowned self] in
                guard reachesDatabase else { return close(number) }
                say()
                after(world.dice.between(100, 8000)) { [unowned self] in begin(stream) }
            }
        }
    }

    private func begin(_ stream: SimStream) {
        guard stream.isOpen else { return }
        guard reachesDatabase else { return close(stream.number) }
        let page = world.database.page(after: stream.standing.position, rowsMax: 1)
        act(stream.standing.begin(page, at: world.instant), stream, seenAt: world.now)
        advance(stream)
    }

    func ringStreams() {
        for stream in streams.values.sorted(by: { $0.number < $1.number }) { advance(stream) }
    }

    /// `FeedStream.advance` and `leaseIfDue`, until there is nothing to send.
    private func advance(_ stream: SimStream) {
        while stream.isOpen, !stream.isWriting, !stream.isReading {
            switch stream.standing.next(memory.next(after: stream.standing.position, framesMax: Self.framesAtOnce)) {
            case .readTable: return readTable(stream)
            case .wait: return leaseIfDue(stream)
            case let next: act(next, stream, seenAt: seenAt)
            }
        }
    }

    private func readTable(_ stream: SimStream) {
        stream.isReading = true
        after(world.dice.between(100, 8000)) { [unowned self] in
            stream.isReading = false
            guard stream.isOpen else { return }
            guard reachesDatabase else { return close(stream.number) }
            let page = world.database.page(after: stream.standing.position, rowsMax: Self.framesAtOnce)
            let next = stream.standing.next(page)
            if next == .wait { return leaseIfDue(stream) }
            act(next, stream, seenAt: world.now)
            advance(stream)
        }
    }

    private func leaseIfDue(_ stream: SimStream) {
        guard let lease = stream.standing.lease(memory.pulse, head: memory.head, at: world.instant) else {
            return
        }
        act(lease, stream, seenAt: seenAt)
    }

    private func act(_ next: StreamStanding.Next, _ stream: SimStream, seenAt: Int) {
        switch next {
        case .send(let frames):
            write(.frames(frames), stream, upTo: frames.last?.position ?? stream.standing.position)
        case .lease(let head):
            world.checkLease(seenAt: seenAt, of: stream)
            write(.lease(head: head, seenAt: seenAt), stream, upTo: stream.standing.position)
        case .reset(let head):
            book.restart(stream.number, at: head)
            write(.reset(head: head), stream, upTo: head)
        case .readTable, .wait: break
        case .cutOff: close(stream.number)
        }
    }

    private func write(_ message: SimStream.Message, _ stream: SimStream, upTo last: UInt64) {
        book.startsWriting(stream.number, upTo: last, at: world.instant)
        stream.standing.wrote(upTo: last)
        stream.send(message)
        guard world.now < stream.stalledUntil else { return book.endsWriting(stream.number) }
        stream.isWriting = true
        after(stream.stalledUntil - world.now) { [unowned self] in
            stream.isWriting = false
            book.endsWriting(stream.number)
            advance(stream)
        }
    }

    /// The replica lets go of a stream and says so, if the wire still carries anything.
    func close(_ number: UInt64) {
        guard let stream = streams.removeValue(forKey: number) else { return }
        stream.isOpen = false
        book.close(number)
        stream.send(.end)
        progress()
    }

    /// The edge's machine said that the connection is gone.
    func lost(_ number: UInt64) {
        guard let stream = streams.removeValue(forKey: number) else { return }
        stream.isOpen = false
        book.close(number)
        progress()
    }

    /// `ReplicaBoard.acknowledged`: taken, or passed on to the replica that it is meant for.
    func acknowledged(_ stream: SimStream, edgeID: Int64, _ position: UInt64) {
        if stream.replica === self {
            guard stream.replicaLife == life else { return }
            if book.acknowledge(stream.number, edgeID: edgeID, position: position) { progress() }
        } else if reachesDatabase, stream.replica.isUp, world.now >= stream.replica.deafUntil {
            let other = stream.replica
            other.after(world.dice.between(200, 10_000)) { [unowned other] in
                other.acknowledged(stream, edgeID: edgeID, position)
            }
        }
    }
}
