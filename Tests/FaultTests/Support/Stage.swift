import Foundation
import Postgres
import TestSupport

/// What a scenario stands on: namespaces, link, PostgreSQL, and a balancer if there are replicas.
struct Stage: Sendable {
    let link: WANLink
    let places: Scene.Plan.Places
    let connectionString: String
    let pool: PostgresPool
    let postgres: FaultPostgres?
    let balancer: TestBalancer?

    /// Builds it, calls `body`, takes everything down again.
    static func with(_ plan: Scene.Plan, _ body: (Stage) async throws -> Void) async throws {
        try await withTemporaryFolder("fault") { folder in
            try await Namespaces.with(throughTests: plan.replicas > 1) { spaces in
                try await WANLink.with(spaces, plan.link, in: folder) { link in
                    var changed = Scene.Plan.Places(origin: spaces.near, near: spaces.near, far: spaces.far)
                    try await plan.changePlaces(&changed, folder)
                    let places = changed
                    try await withDatabase(plan.database, in: folder, at: spaces.near) { connectionString, pool, own in
                        func stage(_ balancer: TestBalancer?) -> Stage {
                            Stage(
                                link: link, places: places, connectionString: connectionString, pool: pool,
                                postgres: own, balancer: balancer)
                        }
                        guard plan.replicas > 1 else { return try await body(stage(nil)) }
                        try await spaces.routeThroughTests()
                        try await TestBalancer.with(host: "0.0.0.0") { try await body(stage($0)) }
                    }
                }
            }
        }
    }

    private static func withDatabase(
        _ kind: Scene.Plan.Database, in folder: String, at place: LivePlace,
        _ body: (String, PostgresPool, FaultPostgres?) async throws -> Void
    ) async throws {
        guard kind != .shared else {
            return try await TestDatabase.with { pool, connectionString in
                try await body(connectionString, pool, nil)
            }
        }
        try await FaultPostgres.with(standby: kind == .withStandby, in: folder, at: place) { postgres in
            var configuration = PostgresConfiguration(connectionString: postgres.connectionString)
            configuration.connectionsMax = 4
            configuration.connectTimeout = .seconds(2)
            let pool = try await PostgresPool.open(configuration, logger: .test)
            do {
                try await body(postgres.connectionString, pool, postgres)
                await pool.close()
            } catch {
                await pool.close()
                throw error
            }
        }
    }
}
