import Foundation
import Hosting
import Postgres
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

/// I12: signing keys in a real PostgreSQL.
struct SigningKeyStoreTests {
    private static let secret = "a secret of more than twenty characters"

    private struct Scene {
        let store: SigningKeyStore
        let pool: PostgresPool
        let seal: KeySeal

        func actions() async throws -> [String] {
            try await pool.query("SELECT actor || ': ' || action AS line FROM audit ORDER BY id").map {
                try $0.value("line", as: String.self)
            }
        }

        func events() async throws -> [String] {
            try await pool.query("SELECT kind FROM feed ORDER BY position").map {
                try $0.value("kind", as: String.self)
            }
        }

        /// As if so many seconds had passed.
        func pass(seconds: Int) async throws {
            _ = try await pool.execute(
                "UPDATE signing_keys SET active_from = active_from - make_interval(secs => \(seconds)::bigint)")
        }
    }

    private func with(_ body: (Scene) async throws -> Void) async throws {
        try await TestDatabase.with { pool, _ in
            let store = SigningKeyStore(pool: pool, events: EventLog(), audit: AuditStore())
            try await body(Scene(store: store, pool: pool, seal: try KeySeal(secret: Self.secret, source: "the test")))
        }
    }

    @Test func `the first signature makes the first key, however many ask at once`() async throws {
        try await with { scene in
            #expect(try await scene.store.list().isEmpty)
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 { group.addTask { try await scene.store.signer(scene.seal).key.id } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(try await scene.store.list().map(\.id) == Array(ids))
            #expect(try await scene.events() == ["keys"])
            #expect(try await scene.actions() == ["key rotation: key.make"])
        }
    }

    @Test func `who waited for the first key signs with it, though its own transaction began before`() async throws {
        try await with { scene in
            let (key, seal, pool, store) = (SigningKey(), scene.seal, scene.pool, scene.store)
            let sealed = try seal.seal(key)
            let waiting = try await pool.withTransaction { transaction in
                _ = try await transaction.execute("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE")
                let waiting = Task { try await store.signer(seal).key.id }
                for _ in 0..<200 {
                    let locks = try await pool.query(
                        "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'signing_keys'::regclass")
                    if !locks.isEmpty { break }
                    try await Task.sleep(for: .milliseconds(20))
                }
                _ = try await transaction.execute(
                    """
                    INSERT INTO signing_keys (id, public_key, sealed_seed, active_from)
                    VALUES (\(key.id), \(key.publicKey), \(sealed), clock_timestamp())
                    """)
                return waiting
            }
            #expect(try await waiting.value == key.id)
            #expect(try await store.list().map(\.id) == [key.id])
        }
    }

    @Test func `the table holds no private key, and another secret opens none, in one sentence`() async throws {
        try await with { scene in
            let key = try await scene.store.signer(scene.seal).key
            let rows = try await scene.pool.query("SELECT sealed_seed FROM signing_keys")
            let sealed = try #require(rows.first).value("sealed_seed", as: [UInt8].self)
            #expect(sealed.count == 12 + 32 + 16)
            #expect(!sealed.contains(key.seed))
            let wrong = try KeySeal(secret: Self.secret + "!", source: "`signing-secret`")
            for refused in [
                await #expect(throws: KeySeal.Failure.self) { try await scene.store.signer(wrong) },
                await #expect(throws: KeySeal.Failure.self) { try await scene.store.checkSecret(wrong) },
            ] {
                let text = try #require(refused?.description)
                #expect(text.contains(key.id) && text.contains("`signing-secret`"))
                #expect(text.contains("key rotate --new-secret"))
            }
            try await scene.store.checkSecret(scene.seal)
            // The way out that the sentence names.
            _ = try await scene.store.rotate(wrong, isNow: true, by: .commandLine)
            try await scene.store.checkSecret(wrong)
            #expect(try await scene.store.signer(wrong).key.id != key.id)
        }
    }

    @Test func `a sealed key can't be put under another id or public key`() throws {
        let seal = try KeySeal(secret: Self.secret, source: "the test")
        let (key, other) = (SigningKey(), SigningKey())
        let sealed = try seal.seal(key)
        #expect(try seal.open(sealed, id: key.id, publicKey: key.publicKey).seed == key.seed)
        #expect(throws: KeySeal.Failure.self) { try seal.open(sealed, id: other.id, publicKey: key.publicKey) }
        #expect(throws: KeySeal.Failure.self) { try seal.open(sealed, id: key.id, publicKey: other.publicKey) }
        for place in sealed.indices {
            var damaged = sealed
            damaged[place] ^= 1
            #expect(throws: KeySeal.Failure.self) { try seal.open(damaged, id: key.id, publicKey: key.publicKey) }
        }
        #expect(throws: KeySeal.Failure.self) { try KeySeal(secret: "short", source: "the test") }
    }

    @Test func `keys follow each other: made a while ahead, used when their time comes, retired after it`() async throws
    {
        try await with { scene in
            let plan = KeyPlan(period: 36_000)
            #expect(try await scene.store.keepUp(plan, scene.seal).isEmpty)
            let first = try await scene.store.signer(scene.seal).key.id
            #expect(try await scene.store.keepUp(plan, scene.seal).isEmpty)
            try await scene.pass(seconds: 30_000)
            #expect(try await scene.store.keepUp(plan, scene.seal).count == 1)
            #expect(try await scene.store.keepUp(plan, scene.seal).isEmpty)
            #expect(try await scene.store.list().count == 2)
            #expect(try await scene.store.signer(scene.seal).key.id == first)
            try await scene.pass(seconds: 9_500)
            let second = try await scene.store.signer(scene.seal).key.id
            #expect(second != first)
            try await scene.pass(seconds: 4_000)
            #expect(try await scene.store.keepUp(plan, scene.seal) == [.retire(first)])
            let rows = try await scene.pool.query("SELECT 1 FROM signing_keys WHERE sealed_seed IS NOT NULL")
            #expect(rows.count == 1)
            #expect(try await scene.events() == ["keys", "keys", "keys"])
            let published = try await scene.store.published()
            #expect(published.keys.map { $0.retired != nil } == [false, true])
            #expect(published.position == 3)
        }
    }

    @Test func `rotating by hand waits a minute for the edges, or does not; what was to come gives way`() async throws {
        try await with { scene in
            let first = try await scene.store.signer(scene.seal).key.id
            let waiting = try await scene.store.rotate(scene.seal, isNow: false, by: .commandLine)
            #expect(try await scene.store.signer(scene.seal).key.id == first)
            let urgent = try await scene.store.rotate(scene.seal, isNow: true, by: .commandLine)
            #expect(try await scene.store.signer(scene.seal).key.id == urgent.id)
            let states = try await scene.store.list().reduce(into: [:]) { $0[$1.id] = $1.retired != nil }
            #expect(states == [first: false, waiting.id: true, urgent.id: false])
        }
    }

    @Test func `retiring the key that signs makes another one sign`() async throws {
        try await with { scene in
            let first = try await scene.store.signer(scene.seal).key.id
            #expect(try await scene.store.retire(id: first, scene.seal, by: .commandLine))
            #expect(try await !scene.store.retire(id: first, scene.seal, by: .commandLine))
            #expect(try await scene.store.signer(scene.seal).key.id != first)
            await #expect(throws: Refusal.self) { try await scene.store.retire(id: "kx", scene.seal, by: .commandLine) }
            #expect(try await scene.actions() == ["key rotation: key.make", "command line: key.retire"])
            #expect(try await scene.events() == ["keys", "keys"])
        }
    }

    @Test func `the secret's file is made once, for its owner alone, and all who start at once read the same`()
        async throws
    {
        try await withTemporaryFolder("secret") { folder in
            var config = OriginConfig(address: .init(host: "127.0.0.1", port: 1), dataFolder: folder)
            #expect(throws: KeySeal.Failure.self) { try SigningSecret.find(config) }
            let key = SigningKey()
            let seals = try await withThrowingTaskGroup(of: KeySeal.self) { group in
                for _ in 0..<8 { group.addTask { [config] in try SigningSecret.findOrMake(config) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let sealed = try seals[0].seal(key)
            for seal in seals + [try SigningSecret.find(config)] {
                #expect(try seal.open(sealed, id: key.id, publicKey: key.publicKey).seed == key.seed)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["signing-secret"])
            let mode = try FileManager.default.attributesOfItem(atPath: folder + "/signing-secret")[.posixPermissions]
            #expect(mode as? Int == 0o600)
            config.signingSecret = "short"
            let refusal = #expect(throws: KeySeal.Failure.self) { try SigningSecret.findOrMake(config) }
            #expect(refusal?.description.contains("openssl rand") == true)
            #expect(refusal?.description.contains("short,") == false)
        }
    }
}
