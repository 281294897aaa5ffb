# Turns sim/dataplane/profiles/*.yaml into cost_profiles.inc: one {"name", R"yaml(text)yaml"} a file.
# Run by `cmake -DDIR=... -DOUT=... -P`, and included by the parent directory to set up that run.
if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB files ${DIR}/*.yaml)
  list(SORT files)
  set(text "")
  foreach(path IN LISTS files)
    get_filename_component(name ${path} NAME_WE)
    file(READ ${path} yaml)
    string(APPEND text "{\"${name}\", R\"yaml(${yaml})yaml\"},\n")
  endforeach()
  file(WRITE ${OUT} "${text}")
  return()
endif()

set(profiles_dir ${PROJECT_SOURCE_DIR}/sim/dataplane/profiles)
set(profiles_inc_dir ${CMAKE_CURRENT_BINARY_DIR}/embedded)
file(GLOB profile_files CONFIGURE_DEPENDS ${profiles_dir}/*.yaml)
add_custom_command(
  OUTPUT ${profiles_inc_dir}/cost_profiles.inc
  COMMAND ${CMAKE_COMMAND} -DDIR=${profiles_dir} -DOUT=${profiles_inc_dir}/cost_profiles.inc
          -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${profile_files} ${CMAKE_CURRENT_LIST_FILE}
  VERBATIM)
target_sources(sim_scenario PRIVATE ${profiles_inc_dir}/cost_profiles.inc)
target_include_directories(sim_scenario PRIVATE ${profiles_inc_dir})
