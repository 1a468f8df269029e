# Embed.cmake - text files (SQL, configuration templates, OpenAPI) as constants of the program, made at build time.

# nxv_embed(<target> <file> <symbol>): `const char <symbol>[]`, NUL-ended, in a generated source of the target.
function(nxv_embed target file symbol)
	get_filename_component(path ${file} ABSOLUTE)
	set(out ${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.c)
	add_custom_command(OUTPUT ${out}
		COMMAND ${CMAKE_COMMAND} -DIN=${path} -DOUT=${out} -DSYMBOL=${symbol} -P ${PROJECT_SOURCE_DIR}/cmake/EmbedFile.cmake
		DEPENDS ${path} ${PROJECT_SOURCE_DIR}/cmake/EmbedFile.cmake VERBATIM)
	target_sources(${target} PRIVATE ${out})
endfunction()

# nxv_embed_migrations(<target> <dir>): `db_migrations[]` from <dir>/NNNN_name.sql, in order.
function(nxv_embed_migrations target dir)
	get_filename_component(path ${dir} ABSOLUTE)
	file(GLOB steps CONFIGURE_DEPENDS ${path}/*.sql)
	set(out ${CMAKE_CURRENT_BINARY_DIR}/embed_migrations.c)
	add_custom_command(OUTPUT ${out}
		COMMAND ${CMAKE_COMMAND} -DDIR=${path} -DOUT=${out} -P ${PROJECT_SOURCE_DIR}/cmake/EmbedMigrations.cmake
		DEPENDS ${steps} ${PROJECT_SOURCE_DIR}/cmake/EmbedMigrations.cmake VERBATIM)
	target_sources(${target} PRIVATE ${out})
endfunction()
