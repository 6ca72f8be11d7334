import FoundationEssentials
package import Logging
package import Postgres
import ServiceLifecycle

/// The origin's database while a program uses it: the one of the settings, or a private one in the data folder.
package struct OriginDatabase: Service {
    package let configuration: PostgresConfiguration
    /// Owns the tables: migrates, and deletes what the audit log has put into an archive. The same as `configuration` if
    /// the settings name one role only.
    let owner: PostgresConfiguration
    package let pool: PostgresPool
    private let cluster: EmbeddedCluster?

    /// Starts the private PostgreSQL if there is no other, or becomes a guest of the one that runs, and connects.
    ///
    /// - Throws: also if the data folder is an edge's, which would sweep our blobs as strangers.
    package static func open(_ config: OriginConfig, logger: Logger) async throws -> OriginDatabase {
        // Written by the edge's `FolderClaim`; what must not be backed up must not be ours.
        if FileManager.default.fileExists(atPath: config.dataFolder + "/CACHEDIR.TAG") {
            throw FolderOfAnEdge(folder: config.dataFolder)
        }
        let cluster: EmbeddedCluster? =
            if config.databaseURL == nil {
                try await EmbeddedCluster.start(in: config.dataFolder + "/postgres", logger: logger)
            } else { nil }
        do {
            var owner = PostgresConfiguration(
                connectionString: config.databaseOwnerURL ?? config.databaseURL ?? cluster?.connectionString ?? "")
            owner.applicationName = "longshore-origin"
            var configuration = owner
            configuration.connectionString = config.databaseURL ?? owner.connectionString
            configuration.connectionsMax = config.databaseConnectionsMax
            if cluster != nil {
                try await ServerRole.makeEmbedded(by: owner, logger: logger)
                // libpq takes the last word on a keyword.
                configuration.connectionString += " user=\(ServerRole.embedded)"
            }
            let pool = try await PostgresPool.open(configuration, logger: logger)
            return OriginDatabase(configuration: configuration, owner: owner, pool: pool, cluster: cluster)
        } catch {
            await cluster?.stop()
            throw error
        }
    }

    /// Brings the schema up to date, as its owner, and lets the role that serves use it.
    ///
    /// - Returns: the migrations that were applied.
    package func migrate(logger: Logger) async throws -> [Migration] {
        let applied = try await Migrator().migrate(owner, logger: logger)
        guard owner.connectionString != configuration.connectionString,
            let row = try await pool.query("SELECT current_user::text AS role").first
        else { return applied }
        try await ServerRole.grant(to: try row.value("role"), by: owner, logger: logger)
        return applied
    }

    /// Supervises the private PostgreSQL until shutdown; closes the pool and stops it then.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            guard let cluster else {
                // Nothing to supervise: waits for the end.
                try? await gracefulShutdown()
                return
            }
            await cluster.run()
        }
        await close()
    }

    /// Closes the pool, then stops the private PostgreSQL if it is ours.
    package func close() async {
        await pool.close()
        await cluster?.stop()
    }
}

/// The data folder belongs to an edge.
struct FolderOfAnEdge: Error, CustomStringConvertible {
    let folder: String

    var description: String {
        "the folder \(folder) is the cache of an edge (it holds CACHEDIR.TAG), which deletes what it does not know: "
            + "choose another with --data (LONGSHORE_DATA)"
    }
}
