import Registry

@testable import Edge
@testable import EdgeCache
@testable import Origin

extension SimEdge {
    /// `FeedFollower.follow`: to any replica, as a balancer chooses.
    func connect() {
        guard isUp, connection == nil, !isConnecting else { return }
        isConnecting = true
        let start = feedPlace.start(book.core)
        world.note(name, "asks for the feed", key: -1, UInt64(start) ?? 0, 0)
        let replica = world.replicas[world.dice.below(world.replicas.count)]
        let life = self.life
        world.after(world.dice.between(300, 40_000)) { [unowned self] in
            guard self.life == life else { return }
            if world.now < cutOffUntil { refused() } else { replica.open(self, after: start) }
        }
        // Nothing came back at all.
        after(Self.leaseTime) { [unowned self] in if isConnecting, connection == nil { refused() } }
    }

    func refused() {
        isConnecting = false
        let pause = backoff.next(using: &world.dice)
        after(Int(pause.components.attoseconds / 1_000_000_000_000) + Int(pause.components.seconds) * 1_000_000) {
            [unowned self] in connect()
        }
    }

    func opened(_ stream: SimStream) {
        guard isUp, isConnecting else { return hangUp(stream, isHeard: true) }
        isConnecting = false
        connection = stream
        liveSince = 0
        lastByteAt = world.now
        acknowledgement = nil
        watch(stream)
    }

    /// The client's read timeout.
    private func watch(_ stream: SimStream) {
        after(max(1, lastByteAt + Self.leaseTime - world.now)) { [unowned self] in
            guard connection === stream else { return }
            if world.now >= lastByteAt + Self.leaseTime {
                world.note(name, "hears nothing", key: -1, ghost.applied, 0)
                drop(stream)
            } else {
                watch(stream)
            }
        }
    }

    /// The machine learned that the connection is gone.
    func lost(_ stream: SimStream) {
        guard connection === stream else { return }
        connection = nil
        calmSince = .max
        refused()
    }

    private func drop(_ stream: SimStream) {
        hangUp(stream, isHeard: world.dice.chance(percent: 80))
        connection = nil
        calmSince = .max
        refused()
    }

    func hangUp(_ stream: SimStream, isHeard: Bool) {
        let wasBroken = stream.isBroken
        stream.isBroken = true
        guard isHeard, !wasBroken, stream.isOpen else { return }
        let replica = stream.replica
        let life = stream.replicaLife
        world.after(world.dice.between(300, 40_000)) {
            if replica.life == life { replica.lost(stream.number) }
        }
    }

    func arrived(_ message: SimStream.Message, on stream: SimStream) {
        guard isUp, stream.edgeLife == life else { return }
        if world.now < frozenUntil {
            return after(frozenUntil - world.now) { [unowned self] in arrived(message, on: stream) }
        }
        guard connection === stream else { return }
        lastByteAt = world.now
        switch message {
        case .end:
            connection = nil
            calmSince = .max
            return refused()
        case .lease(let head, let seenAt):
            take(.lease(head: head), seenAt)
            // What a frozen process had in its buffer says nothing of a connection that is gone.
            if calmSince == .max, !stream.isBroken {
                (calmSince, liveSince) = (max(world.now, stream.replica.troubledUntil, stream.stalledUntil), world.now)
            }
            backoff.succeeded()
        case .reset(let head): take(.reset(head: head), world.now)
        case .frames(let frames):
            for frame in frames where !apply(frame) { return drop(stream) }
        }
        acknowledge(stream)
    }

    private func take(_ word: FeedWord, _ seenAt: Int) {
        let wasKnown = feedPlace.isKnown
        let outcome = feedPlace.take(word, &book.core, at: moment) { world.makeTable($0) }
        switch word {
        case .lease(let head) where wasKnown:
            ghost.head = max(ghost.head, head)
            world.note(name, "hears a lease", key: -1, head, ghost.applied)
        case .lease(let head), .reset(let head):
            ghost.applied = head
            ghost.head = head
            world.note(name, "begins anew", key: -1, head, 0)
        case .event: break
        }
        switch (word, outcome) {
        case (.lease, .live), (.lease, .anew):
            ghost.heardAt = world.now
            ghost.vouchedAt = max(ghost.vouchedAt, seenAt)
        // A reset comes with the origin's word on its head, and counts as a lease.
        case (.reset, .anew):
            ghost.heardAt = world.now
        default: world.fail(.ordered, "\(name) made another thing of a word than it is", at: self)
        }
        checkPlace()
    }

    /// - Returns: false if the edge must connect again.
    private func apply(_ frame: FeedRing.Frame) -> Bool {
        let envelope = world.envelope(frame)
        let outcome = feedPlace.take(.event(envelope), &book.core, at: moment) { world.makeTable($0) }
        ghost.head = max(ghost.head, frame.position)
        if frame.position == ghost.applied + 1 {
            ghost.applied = frame.position
            guard world.truth.head >= frame.position else {
                world.fail(.ordered, "\(name) applied position \(frame.position), which nobody committed", at: self)
                return true
            }
            let place = Int(frame.position) - 1
            if world.truth.events[place] != envelope.event {
                world.fail(.ordered, "\(name) applied another event at \(frame.position) than was committed", at: self)
            }
            for subject in world.truth.changed[place] {
                ghost.floors[subject] = frame.position
                world.note(name, "applies", key: subject, frame.position, 0)
            }
        }
        checkPlace()
        switch outcome {
        case .taken(let rewarm):
            for ticket in rewarm { run(ticket) }
            return true
        case .gap:
            world.note(name, "finds a gap", key: -1, frame.position, ghost.applied)
            return false
        case .live, .anew:
            world.fail(.ordered, "\(name) took an event for a lease", at: self)
            return true
        }
    }

    /// I3: the edge has applied what it was told, in order, and nothing else.
    private func checkPlace() {
        let applied = book.core.feed.applied
        guard applied != ghost.applied else { return }
        world.fail(
            .ordered, "\(name) says that it applied \(applied), but it has read up to \(ghost.applied)", at: self)
    }

    /// One at a time; only the newest counts.
    private func acknowledge(_ stream: SimStream) {
        acknowledgement = book.core.feed.applied
        guard !isAcknowledging else { return }
        sendAcknowledgement(stream)
    }

    private func sendAcknowledgement(_ stream: SimStream) {
        guard connection === stream, let position = acknowledgement else { return isAcknowledging = false }
        acknowledgement = nil
        isAcknowledging = true
        let replica = world.replicas[world.dice.below(world.replicas.count)]
        let isLost = world.now < cutOffUntil
        let edgeID = Int64(place)
        world.after(world.dice.between(300, 40_000)) {
            if replica.isUp, !isLost { replica.acknowledged(stream, edgeID: edgeID, position) }
        }
        after(world.dice.between(600, 80_000)) { [unowned self] in
            isAcknowledging = false
            if acknowledgement != nil { sendAcknowledgement(stream) }
        }
    }
}
